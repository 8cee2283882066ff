// MOV from device memory on a machine of the host's own, which has one readable register and nothing else.
import { MmioExecutor, refusalOf } from "@whvkit/mmio-executor";
import { Decoder, Instruction } from "@whvkit/x86-decoder";
import { Abort, GuestFault, programFor, RegisterFile, type SpanMachine } from "@whvkit/x86-semantics";

const refuse = (): number => Abort.unsupported;
const machine: SpanMachine = {
  registers: new RegisterFile(),
  fault: new GuestFault(),
  data: new Int32Array(4),
  load(_segment, linearLow, _linearHigh, size) {
    console.log(`read of ${size} bytes at 0x${(linearLow >>> 0).toString(16)}`);
    machine.data[0] = 0x1234;
    machine.data[1] = 0;
    return Abort.none;
  },
  in: refuse,
  out: refuse,
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
machine.registers.set64(7 * 8, 0xfee0_0020n); // RDI
const instruction = new Instruction();
new Decoder(64).decode(Uint8Array.of(0x8b, 0x07), 0, instruction); // mov eax, [rdi]
const program = programFor(instruction);
console.log(refusalOf(program), new MmioExecutor(machine).execute(program) === Abort.none);
console.log(machine.registers.get64(0).toString(16)); // RAX
