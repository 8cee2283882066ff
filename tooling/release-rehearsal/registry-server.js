// The process of one verdaccio: listens on a free port of 127.0.0.1, tells its parent which, and ends when the parent
// does. `registry.js` starts it; the one argument is the configuration file.
import { runServer } from "verdaccio";

const server = await runServer(process.argv[2]);
server.listen(0, "127.0.0.1", () => process.send?.({ port: server.address().port }));
// Also when the parent was killed: no registry is left behind.
process.on("disconnect", () => process.exit(0));
