// The command as a function of a program.
import { main } from "@whvkit/cli";

main(["decode", "8b07"]).then((status) => console.log(status));
