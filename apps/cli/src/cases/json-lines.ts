/**
 * The rule of every JSON-lines command: one answer for each line, in order, whatever happens; a line that cannot be
 * read is answered by what is wrong with it and where.
 */
import { CaseError, caseFormat, caseId } from "@whvkit/conformance";
import { inputLines, longestLine } from "../input-lines.ts";
import type { CommandContext } from "../main.ts";

/** An answer to a line that could not be read or carried out. */
export interface LineError {
  readonly format: typeof caseFormat;
  readonly id: string | number | null;
  readonly error: string;
}

/** What a line asked for: the parsed JSON, or why there is none. */
export type JsonLine =
  | { readonly json: unknown; readonly number: number }
  | { readonly answer: LineError; readonly number: number };

/** Parses the lines of a file or of standard input. */
export async function* jsonLines(file: string | undefined, context: CommandContext): AsyncGenerator<JsonLine> {
  for await (const { number, text } of inputLines(file, context)) {
    if (text === null) {
      yield { number, answer: lineError(null, number, `the line is longer than ${longestLine} bytes`) };
      continue;
    }
    let json: unknown;
    try {
      json = JSON.parse(text);
    } catch (error) {
      const what = text.trim() === "" ? "the line is empty" : `not JSON: ${(error as Error).message}`;
      yield { number, answer: lineError(null, number, what) };
      continue;
    }
    yield { number, json };
  }
}

/** Answers every line of a file by `answer`; what that throws becomes the line's error. */
export async function answerLines(
  file: string | undefined,
  context: CommandContext,
  answer: (json: unknown) => unknown,
): Promise<void> {
  for await (const line of jsonLines(file, context)) {
    await context.output.line(JSON.stringify("answer" in line ? line.answer : attempt(line.json, line.number, answer)));
  }
}

/** The answer of `answer`, or the error that it threw. */
export function attempt(json: unknown, number: number, answer: (json: unknown) => unknown): unknown {
  try {
    return answer(json);
  } catch (error) {
    return lineError(caseId(json), number, describeRefusal(error));
  }
}

/** What is wrong with a case. Errors that nobody foresaw are a defect, and say so. */
function describeRefusal(error: unknown): string {
  if (error instanceof CaseError) return error.message;
  // The emulator refuses options that it does not take by an error that names the option.
  if (error instanceof Error && error.message.startsWith("option ")) return `options: ${error.message}`;
  return `internal error, please report it with this case: ${error instanceof Error ? error.stack : String(error)}`;
}

/** The error answer of a line. */
export function lineError(id: string | number | null, number: number, what: string): LineError {
  return { format: caseFormat, id, error: `line ${number}: ${what}` };
}
