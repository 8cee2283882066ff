/**
 * Finishes x86 port instructions: IN, OUT, INS and OUTS with every REP form, on any `SpanMachine`.
 *
 * @packageDocumentation
 */
export { inputToAccumulator, outputFromAccumulator } from "./accumulator-transfer.ts";
export { describesExit, IoExecutor } from "./io-executor.ts";
export type { PortExit } from "./port-exit.ts";
