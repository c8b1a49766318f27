import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Command, command } from "./contenders.ts";
import type { BenchImage } from "./corpus.ts";
import { markdownTable } from "./markdown.ts";
import { median } from "./measure.ts";
import { tmpfs } from "./places.ts";
import { targetRow, targetTable } from "./targets.ts";

/** A command of a few milliseconds, of whose time a good part is Node's own. */
interface Start {
  readonly name: string;
  command(directory: string): Command;
}

/** Compares what happens before and besides the unpacking with Node's own start: a table in Markdown. */
export async function startUp(tiny: BenchImage, rounds: number): Promise<string> {
  const request = `require("node:http").get(${JSON.stringify(tiny.blobs[0])}, (response) => response.resume())`;
  const starts = {
    nothing: { name: "`node -e 0`", command: () => [process.execPath, "-e", "0"] },
    version: { name: "`oci-unpack --version`", command: () => [...command, "--version"] },
    request: { name: "Node and one request, for the layer's blob", command: () => [process.execPath, "-e", request] },
    unpack: {
      name: `\`oci-unpack\` of ${tiny.recipe.name} (${tiny.megabytes.toFixed(1)} MB), complete`,
      command: (directory) => [...command, "--quiet", "--plain-http", tiny.gzip, join(directory, "image")],
    },
  } as const satisfies Record<string, Start>;
  const seconds = await interleaved(Object.values(starts), rounds);
  const milliseconds = (start: Start) => 1000 * median(seconds.get(start) ?? []);
  return [
    `Medians of ${rounds} rounds.`,
    markdownTable(
      ["command", "wall (ms)"],
      Object.values(starts).map((start) => [start.name, milliseconds(start).toFixed(0)]),
    ),
    targetTable([
      targetRow("--version ÷ Node alone", 1.3, milliseconds(starts.version) / milliseconds(starts.nothing), 2),
      targetRow("tiny ÷ Node and one request", 2.2, milliseconds(starts.unpack) / milliseconds(starts.request), 2),
    ]),
  ].join("\n\n");
}

/** In turn, after a first round that does not count. */
async function interleaved(starts: readonly Start[], rounds: number): Promise<ReadonlyMap<Start, readonly number[]>> {
  const seconds = new Map<Start, number[]>(starts.map((start) => [start, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const start of starts) {
      await using place = await tmpfs.fresh();
      const measured = await wallSeconds(start.command(place.directory));
      if (round > 0) seconds.get(start)?.push(measured);
    }
  }
  return seconds;
}

/**
 * The environment but for NODE_EXTRA_CA_CERTS, for which Node 20 reads every authority at each start: 30 ms, beside which
 * all else would look small.
 */
function environment(): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, ...others } = process.env;
  return others;
}

/** Without `time` in between: a millisecond more would count here. */
async function wallSeconds([program, ...args]: Command): Promise<number> {
  const began = performance.now();
  const child: ChildProcess = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"], env: environment() });
  const [status] = await once(child, "exit");
  if (status !== 0) throw new Error(`cannot measure ${program} ${args.join(" ")}: exit status ${status}`);
  return (performance.now() - began) / 1000;
}
