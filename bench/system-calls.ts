import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/support/command.ts";
import { scratch } from "../test/support/scratch.ts";
import type { Command } from "./contenders.ts";

/** How often a command and its threads made a system call. */
export interface CallCount {
  readonly call: string;
  readonly count: number;
  readonly failed: number;
}

/** Counts a command's system calls with strace, which slows it down several times. The most frequent first. */
export async function countedCalls(command: Command): Promise<readonly CallCount[]> {
  await using place = await scratch();
  const report = join(place.directory, "calls");
  await output("strace", ["--follow-forks", "--summary-only", `--output=${report}`, ...command]);
  return parsed(await readFile(report, "utf8")).toSorted((a, b) => b.count - a.count);
}

/** Lines of `% time, seconds, µs a call, calls, [errors], name`, between two rules; below the second is the total. */
function parsed(report: string): CallCount[] {
  const [, body = ""] = report.split(/^-[- ]+$/m);
  return body
    .trim()
    .split("\n")
    .map((line) => {
      const fields = line.trim().split(/\s+/);
      const failed = fields.length === 6 ? Number(fields[4]) : 0;
      return { call: fields.at(-1) ?? "", count: Number(fields[3]), failed };
    });
}
