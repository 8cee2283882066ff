// OUT on a machine of the host's own, which has ports and nothing else.
import { IoExecutor } from "@whvkit/io-executor";
import { Abort, GuestFault, RegisterFile, type SpanMachine } from "@whvkit/x86-semantics";

const refuse = (): number => Abort.unsupported;
const machine: SpanMachine = {
  registers: new RegisterFile(),
  fault: new GuestFault(),
  data: new Int32Array(4),
  in: refuse,
  out(port, size, value) {
    console.log(`port ${port}, ${size} byte: ${String.fromCharCode(value)}`);
    return Abort.none;
  },
  load: refuse,
  store: refuse,
  store128: refuse,
  probe: refuse,
  raise: refuse,
  helper: refuse,
  span: refuse,
  spanAddress: 0,
  spanElements: 0,
  loadPhysical: refuse,
  storePhysical: refuse,
};
machine.registers.set64(0, 0x41n); // RAX
const abort = new IoExecutor(machine).execute({
  port: 0x3f8,
  accessSize: 1,
  isWrite: true,
  stringOp: false,
  repPrefix: false,
});
console.log(abort === Abort.none);
