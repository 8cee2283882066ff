/**
 * Which engine a processor gets: the one that its partition asks for, and where that asks for none, WebAssembly if the
 * host allows it.
 */

import { E_INVALIDARG, E_NOTIMPL, E_OUTOFMEMORY, WhvError } from "@whvkit/whv-types";
import { ADDRESS_TYPE, ModuleWriter } from "@whvkit/x86-semantics";
import type { EngineFactory } from "./engine.ts";
import { EvaluatorEngine } from "./evaluator-engine.ts";
import { EAGER, PATIENT, tablesSizeOf, WebAssemblyEngine } from "./webassembly-engine.ts";

/**
 * What runs instructions: `"auto"` is the evaluator for code that runs seldom and WebAssembly for the rest, and the
 * evaluator alone where the host does not allow WebAssembly; `"evaluator"` compiles nothing; `"webassembly"` compiles
 * everything at its first execution, which is slow to start and meant for tests. All three do the same.
 *
 * @public
 */
export type SimEngine = "auto" | "evaluator" | "webassembly";

/** Processors of a partition for which there is room for tables; further ones run on the evaluator. */
const PROCESSORS_WITH_TABLES = 4;

/** Why WebAssembly cannot be used here, null where it can; found out once. */
let obstacle: string | null | undefined;

function webAssemblyObstacle(): string | null {
  if (obstacle !== undefined) return obstacle;
  obstacle = null;
  if (typeof WebAssembly !== "object") {
    obstacle = "the host has no WebAssembly";
    return obstacle;
  }
  // A content-security policy refuses every module; an old engine refuses this one's vectors.
  const module = new ModuleWriter(ADDRESS_TYPE);
  const { code } = module.function("probe", { parameters: [], result: null });
  code.v128([0, 0, 0, 0]);
  code.drop();
  try {
    new WebAssembly.Module(module.finish());
  } catch (error) {
    obstacle = `the host does not compile WebAssembly: ${error}`;
  }
  return obstacle;
}

/** What a partition needs to give its processors an engine. */
export interface EngineChoice {
  readonly factory: EngineFactory;
  /** Bytes for engines' tables, beyond guest memory; a multiple of 64 KiB. */
  readonly tables: number;
}

/**
 * @param capacity - bytes of the partition's arena without tables.
 * @throws WhvError with E_NOTIMPL where `"webassembly"` is asked for and cannot be had.
 */
export function chooseEngine(engine: SimEngine, capacity: number): EngineChoice {
  if (engine === "evaluator") return { factory: (context) => new EvaluatorEngine(context), tables: 0 };
  if (engine !== "auto" && engine !== "webassembly")
    throw new WhvError("WHvCreatePartition", E_INVALIDARG, `engine ${JSON.stringify(engine)}`);
  const reason = webAssemblyObstacle();
  if (reason !== null) {
    if (engine === "webassembly") throw new WhvError("WHvCreatePartition", E_NOTIMPL, reason);
    return { factory: (context) => new EvaluatorEngine(context, reason), tables: 0 };
  }
  const factory: EngineFactory = (context) => {
    const tables = context.arena.allocateTables(tablesSizeOf(capacity));
    if (tables >= 0) return new WebAssemblyEngine(context, tables, engine === "auto" ? PATIENT : EAGER);
    const full = `there is room for the tables of ${PROCESSORS_WITH_TABLES} processors`;
    if (engine === "webassembly") throw new WhvError("WHvCreateVirtualProcessor", E_OUTOFMEMORY, full);
    return new EvaluatorEngine(context, full);
  };
  return { factory, tables: tablesSizeOf(capacity) * PROCESSORS_WITH_TABLES };
}
