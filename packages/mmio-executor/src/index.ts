/**
 * Finishes x86 instructions with memory operands, on device memory and RAM alike, on any `SpanMachine`.
 *
 * @packageDocumentation
 */
export { MmioExecutor, type MmioRefusal, refusalOf } from "./mmio-executor.ts";
