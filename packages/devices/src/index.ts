/** The public names of this package. */
export { Bus, type UnclaimedAccess } from "./bus/bus.ts";
export type { Attachment, BusDevice } from "./bus/bus-device.ts";
export type { GuestRam } from "./bus/guest-ram.ts";
export { DebugConsolePort } from "./debug/debug-console.ts";
export { DebugExitPort } from "./debug/debug-exit.ts";
export { type TextCell, VGA_TEXT_ADDRESS, VGA_TEXT_SIZE, VgaTextScreen } from "./display/vga-text.ts";
export { type InterruptLine, unconnectedLine } from "./interrupts/interrupt-line.ts";
export { PicPair } from "./interrupts/pic-pair.ts";
export { Pic8259 } from "./interrupts/pic8259.ts";
export { AcpiPowerManagement, type AcpiPowerManagementOptions, SLEEP_TYPE_SOFT_OFF } from "./power/acpi-pm.ts";
export { Uart16550, type Uart16550Options } from "./serial/uart16550.ts";
export { CmosRtc, type CmosRtcOptions } from "./timers/cmos-rtc.ts";
export { PIT_HZ, Pit8254, type Pit8254Options } from "./timers/pit8254.ts";
export { type ClockTimer, VirtualClock } from "./timers/virtual-clock.ts";
export { VirtioConsole, type VirtioConsoleOptions } from "./virtio/virtio-console.ts";
export type { VirtioDevice, VirtioTransport } from "./virtio/virtio-device.ts";
export { VirtioEntropy } from "./virtio/virtio-entropy.ts";
export {
  VIRTIO_MMIO_SIZE,
  VirtioMmio,
  type VirtioMmioOptions,
  VirtioMmioRegister,
  VirtioStatus,
} from "./virtio/virtio-mmio.ts";
export { type BufferChain, Virtqueue } from "./virtio/virtqueue.ts";
