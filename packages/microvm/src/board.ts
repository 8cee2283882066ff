/**
 * The board: every device of the machine, made and wired as on a PC. Which port, address and interrupt line belongs to
 * which device stands here and nowhere else.
 *
 * | device | ports or memory | interrupt |
 * | --- | --- | --- |
 * | interrupt controllers | 0x20, 0xa0, 0x4d0 | |
 * | interval timer | 0x40 to 0x43, 0x61 | IRQ 0 |
 * | COM1 | 0x3f8 | IRQ 4 |
 * | real-time clock | 0x70, 0x71 | IRQ 8 |
 * | power management | 0x600 | IRQ 9 |
 * | text screen | memory 0xb8000; 0x3d4, 0x3d5, 0x3da | |
 * | virtio console | memory 0xd0000000 | IRQ 10 |
 * | virtio entropy | memory 0xd0001000 | IRQ 11 |
 * | debug exit | 0xf4 (by option) | |
 * | debug consoles | by option | |
 */
import {
  AcpiPowerManagement,
  Bus,
  CmosRtc,
  DebugConsolePort,
  DebugExitPort,
  PicPair,
  Pit8254,
  Uart16550,
  VgaTextScreen,
  VIRTIO_MMIO_SIZE,
  VirtioConsole,
  type VirtioDevice,
  VirtioEntropy,
  VirtioMmio,
  VirtualClock,
} from "@whvkit/devices";
import type { ConsoleText } from "./console-text.ts";
import { deterministicEntropy } from "./deterministic-entropy.ts";
import { type MachineRam, VIRTIO_MMIO_BASE, VIRTIO_MMIO_STRIDE } from "./guest-memory-layout.ts";
import type { MachineOptions } from "./machine-options.ts";

const COM1 = { port: 0x3f8, irq: 4 } as const;
/** Line control of 8 data bits, no parity, 1 stop bit; the chip's reset value means 5 data bits. */
const LINE_8N1 = { port: COM1.port + 3, value: 0x03 } as const;
const TIMER_IRQ = 0;
const RTC_IRQ = 8;
const POWER_IRQ = 9;
const CONSOLE_IRQ = 10;
const ENTROPY_IRQ = 11;
const DEFAULT_DEBUG_EXIT_PORT = 0xf4;
const DEFAULT_WALL_CLOCK: number = Date.UTC(2000, 0, 1);

/** What the guest asked of the machine as a whole. */
export interface BoardRequests {
  powerOff(): void;
  debugExit(value: number): void;
}

export class Board {
  readonly clock: VirtualClock = new VirtualClock();
  readonly bus: Bus = new Bus();
  readonly pic: PicPair = new PicPair();
  readonly serial: Uart16550;
  readonly screen: VgaTextScreen;

  constructor(options: MachineOptions, ram: MachineRam, consoleText: ConsoleText, requests: BoardRequests) {
    const { bus, clock, pic } = this;
    pic.attach(bus);
    new Pit8254({ clock, line: pic.line(TIMER_IRQ) }).attach(bus);
    const rtc = new CmosRtc({ clock, line: pic.line(RTC_IRQ), wallClock: options.wallClock ?? DEFAULT_WALL_CLOCK });
    rtc.attach(bus);
    new AcpiPowerManagement({ clock, line: pic.line(POWER_IRQ), powerOff: requests.powerOff }).attach(bus);

    this.serial = new Uart16550({
      clock,
      line: pic.line(COM1.irq),
      output: (byte) => {
        consoleText.add(byte);
        options.serialOutput?.(byte);
      },
    });
    bus.attachPorts(COM1.port, 8, this.serial);
    // As firmware leaves it: images written for QEMU print without setting up the line.
    bus.writePort(LINE_8N1.port, 1, LINE_8N1.value);
    if (options.serialInput !== undefined) this.serial.receive(options.serialInput);

    this.screen = new VgaTextScreen(clock);
    this.screen.attach(bus);

    const virtioConsole = new VirtioConsole({
      output: (byte) => {
        consoleText.add(byte);
        options.consoleOutput?.(byte);
      },
    });
    this.#attachVirtio(0, virtioConsole, ram, CONSOLE_IRQ);
    this.#attachVirtio(1, new VirtioEntropy(options.entropy ?? deterministicEntropy()), ram, ENTROPY_IRQ);

    const exitPort = options.debugExitPort === undefined ? DEFAULT_DEBUG_EXIT_PORT : options.debugExitPort;
    if (exitPort !== null) bus.attachPorts(exitPort, 1, new DebugExitPort(requests.debugExit));
    for (const { port, output } of options.debugConsoles ?? []) bus.attachPorts(port, 1, new DebugConsolePort(output));
  }

  #attachVirtio(slot: number, device: VirtioDevice, ram: MachineRam, irq: number): void {
    const transport = new VirtioMmio({ device, ram, line: this.pic.line(irq) });
    this.bus.attachMemory(VIRTIO_MMIO_BASE + slot * VIRTIO_MMIO_STRIDE, VIRTIO_MMIO_SIZE, transport);
  }
}
