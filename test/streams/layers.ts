import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Random } from "../model/random.ts";
import { output } from "../support/command.ts";
import { file, tarWithoutEnd } from "../support/tar-builder.ts";
import type { Tool } from "../support/tools.ts";
import { body, bodyNames } from "./bodies.ts";
import { bufferEnds, near, runEnds } from "./boundaries.ts";
import { gzipped, randomForm, randomOptions } from "./gzip-member.ts";

/** A layer's archive, and how it is stored. */
export interface StoredLayer {
  readonly archive: Buffer;
  readonly stored: Buffer;
}

const blockBytes = 512;
const endBytes = 2 * blockBytes;

/** Whoever runs the tests, so that files get the same owner whether or not they may be given away. */
const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };

/** An archive of a few files that ends near the end of a buffer, with as many zeros at its end as it takes. */
export function archiveNearAnEnd(number: number, random: Random): Buffer {
  const bytes = endOfABuffer(random) - near + random.below(2 * near + 1);
  const path = (index: number) => `layer-${number}-${index}`;
  const files = random.many(0, 5, () => body(random.oneOf(bodyNames), random.below(3000)));
  const entries = files.map((content, index) => file(path(index), content, owner));
  const usedBytes = entries.reduce((sum, { length }) => sum + length, 0);
  const blocks = Math.floor((bytes - usedBytes - endBytes) / blockBytes) - 1 - random.below(random.oneOf([1, 20]));
  const lastBytes = blocks * blockBytes - random.below(blockBytes);
  entries.push(file(path(files.length), body(random.oneOf(bodyNames), lastBytes), owner));
  const used = tarWithoutEnd(...entries);
  return Buffer.concat([used, Buffer.alloc(bytes - used.length)]);
}

function endOfABuffer(random: Random): number {
  const kind = random.weighted({ output: 6, runs: 2, window: 1, input: 1, rings: 1 });
  if (kind === "runs") return random.oneOf(runEnds(random.oneOf(bodyNames), 6));
  return random.oneOf(kind === "rings" ? bufferEnds.rings.slice(0, 2) : bufferEnds[kind]);
}

/** In one gzip member or several, with any options, flushes and ending. */
export function storedInMembers(archive: Buffer, random: Random): StoredLayer {
  const cuts = random.many(0, random.oneOf([0, 0, 2]), () => random.below(archive.length)).sort((a, b) => a - b);
  const members = [0, ...cuts].map((start, index) =>
    gzipped(archive.subarray(start, cuts[index] ?? archive.length), randomOptions(random), randomForm(random)),
  );
  return { archive, stored: Buffer.concat(members) };
}

/** Whoever else makes layers. */
export const makers = ["gzip", "tar", "bsdtar", "python3"] as const satisfies readonly Tool[];

const pythonScript = `
import gzip, sys, tarfile
tarfile.RECORDSIZE = 512
with tarfile.open(sys.argv[1], "w:gz", compresslevel=int(sys.argv[2])) as archive: archive.add(sys.argv[3])
`;

/** An archive of one file of that size, written and compressed by a tool. */
export async function storedByTool(
  tool: (typeof makers)[number],
  number: number,
  place: string,
  random: Random,
): Promise<StoredLayer> {
  const name = `layer-${number}`;
  const target = join(place, "tool.tar.gz");
  const level = String(1 + random.below(9));
  const blocks = endOfABuffer(random) / blockBytes - 3 - random.below(2);
  await mkdir(place, { recursive: true });
  await writeFile(join(place, name), body(random.oneOf(bodyNames), Math.floor(blocks) * blockBytes - random.below(8)));
  const options = { directory: place };
  if (tool === "gzip") {
    await output("tar", ["--create", "--format=gnu", "--blocking-factor=1", "--file=tool.tar", name], options);
    await output("gzip", ["--force", `-${level}`, "tool.tar"], options);
  } else if (tool === "python3") {
    await output("python3", ["-c", pythonScript, target, level, name], options);
  } else {
    await output(tool, ["-c", "-z", "-b", random.oneOf(["1", "20"]), "-f", target, name], options);
  }
  const stored = await readFile(target);
  await rm(join(place, name));
  await rm(target);
  return { archive: gunzipSync(stored), stored };
}
