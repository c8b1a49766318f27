import type { Writable } from "node:stream";
import { unlessAborted } from "../base/abort.ts";
import { present } from "../base/present.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { OciUnpackEvent } from "../index.ts";
import type { ErrorReport } from "./error-report.ts";
import { retryText } from "./event-line.ts";
import type { Decision, Explained, FailureData, ResultData } from "./json-outputs.ts";
import type { ProcessContext } from "./process-context.ts";
import { safeJson } from "./safe-text.ts";

/**
 * A result for `--json`: the members of the library's result on one line, and with `--explain` the decisions.
 *
 * It comes in pieces, because together they may be longer than a string can be.
 */
export function* resultJson(result: ResultData, decisionLog: DecisionLog): Iterable<string> {
  const fields = Object.entries({ ...result, ...explained(decisionLog) }).filter(([, value]) => value !== undefined);
  yield "{";
  for (const [index, [name, value]] of fields.entries()) {
    yield `${index === 0 ? "" : ","}${safeJson(name)}:`;
    if (Array.isArray(value)) yield* listJson(value);
    else yield safeJson(value);
  }
  yield "}\n";
}

function* listJson(list: readonly unknown[]): Iterable<string> {
  yield "[";
  for (const [index, value] of list.entries()) yield `${index === 0 ? "" : ","}${safeJson(value ?? null)}`;
  yield "]";
}

/**
 * A failure as `--json` prints it: `{"error":{"code":…,"message":…,"hint":…,"details":{…}}}`, without what there is
 * not.
 */
export function errorJson(failure: ErrorReport, decisionLog: DecisionLog): string {
  return `${safeJson({ ...failureData(failure), ...explained(decisionLog) })}\n`;
}

/** An error by which an answer ends whose list has begun on standard output, and is still open. */
export class UnfinishedAnswer extends Error {
  constructor(cause: unknown) {
    super("the answer has begun", { cause });
  }
}

/** A failure as the end of such an answer, so that it is one JSON object all the same. */
export function errorAtEndJson(failure: ErrorReport, decisionLog: DecisionLog): string {
  return `],${errorJson(failure, decisionLog).slice(1)}`;
}

/** A failure as the last line of `--json-events`. */
export function failedJson(failure: ErrorReport): string {
  return `${safeJson({ type: "failed", ...failureData(failure) })}\n`;
}

/** A failure as data. */
function failureData({ code, message, hint, details }: ErrorReport): FailureData {
  return { error: present({ code, message, hint, details }) };
}

/** The decisions as members of a result, where there are any. */
export function explained({ decisions }: DecisionLog): Explained {
  return decisions.length === 0 ? {} : { decisions };
}

/** How many decisions are recorded: more than any pull makes, but a limit for one that is retried for days. */
const mostDecisions = 10_000;

/** Messages are cut, because a registry's links may be long. */
const longestMessage = 2_000;

/** The decisions for `--explain`, in order, for `--json`. */
export class DecisionLog {
  readonly decisions: Decision[] = [];

  record(event: OciUnpackEvent): void {
    const decision = decisionIn(event);
    if (decision !== undefined && this.decisions.length < mostDecisions) {
      this.decisions.push({ ...decision, message: shortened(decision.message) });
    }
  }
}

function shortened(message: string): string {
  return message.length <= longestMessage ? message : `${message.slice(0, longestMessage)}…`;
}

/** The decision in an event. Retries and warnings, which people always see, are decisions as well. */
function decisionIn(event: OciUnpackEvent): Decision | undefined {
  switch (event.type) {
    case "decision":
      return { topic: event.topic, message: event.message };
    case "retrying":
      return { topic: "retry", message: retryText(event) };
    case "warning":
      if (event.code === "CONFIGURATION") return { topic: "configuration", message: event.message };
      return event.code === "CREDENTIALS_IGNORED" ? { topic: "credentials", message: event.message } : undefined;
    default:
      return undefined;
  }
}

/** How many characters are written at once. */
const pieceCharacters = 64 * 1024;

/** Writes text of any length in large pieces. */
export function writeText(output: ProcessContext["output"], texts: Iterable<string>): void {
  let piece = "";
  for (const text of texts) {
    piece += text;
    if (piece.length < pieceCharacters) continue;
    output.write(piece);
    piece = "";
  }
  output.write(piece);
}

/** Writes lines, each with a line end, in large pieces. */
export function writeLines(output: ProcessContext["output"], lines: Iterable<string>): void {
  writeText(output, withEnds(lines));
}

function* withEnds(lines: Iterable<string>): Iterable<string> {
  for (const line of lines) yield `${line}\n`;
}

/**
 * Writes chunks into a stream, each when the one before is gone, so that a slow reader slows down whoever makes them.
 * The stream is not ended.
 */
export async function writeBytes(
  stream: Writable,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<void> {
  for await (const chunk of chunks) await unlessAborted(written(stream, chunk), signal);
}

function written(stream: Writable, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(chunk, (error) => (error ? reject(fileSystemError(error, "write the output")) : resolve()));
  });
}

/** A reader that ends early (`| head`) has what it wanted, so that is no error. */
export async function hasReaderLeft(writing: Promise<void>): Promise<boolean> {
  try {
    await writing;
    return false;
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined;
    if (isErrno(cause, "EPIPE")) return true;
    throw error;
  }
}
