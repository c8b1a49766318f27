import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

/** How many are named. */
const named = 10;

/** A reporter for `node --test` that tells at the end which files took longest. */
export default async function* slowestFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const milliseconds = new Map<string, number>();
  for await (const { type, data } of events) {
    if ((type !== "test:pass" && type !== "test:fail") || data.nesting > 0 || data.file === undefined) continue;
    milliseconds.set(data.file, (milliseconds.get(data.file) ?? 0) + data.details.duration_ms);
  }
  const slowest = [...milliseconds].sort(([, one], [, another]) => another - one).slice(0, named);
  yield "the slowest files:\n";
  for (const [file, taken] of slowest) {
    yield `${(taken / 1000).toFixed(1).padStart(7)} s  ${relative(process.cwd(), file)}\n`;
  }
}
