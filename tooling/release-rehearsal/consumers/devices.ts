// A debug console on a bus.
import { Bus, type BusDevice } from "@whvkit/devices";

const text: number[] = [];
const console0: BusDevice = { width: 1, read: () => 0xe9, write: (_offset, _size, value) => void text.push(value) };
const bus = new Bus();
bus.attachPorts(0xe9, 1, console0);
for (const character of "hello") bus.writePort(0xe9, 1, character.charCodeAt(0));
console.log(String.fromCharCode(...text), bus.readPort(0xe9, 1));
