import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { Random } from "../model/random.ts";
import { type Decoded, decoded } from "../support/decode.ts";
import { corpus, corpusArchive } from "../support/tar-corpus.ts";
import { checksum } from "../support/tar-header.ts";
import { sampleArchives } from "../support/tar-samples.ts";

const SEEDS_PER_ARCHIVE = 500;
const LARGEST_BYTES = 30_000;

describe("an archive with bytes changed, lost or repeated gives entries or a typed error, and no more than it holds", () => {
  for (const [name, archive] of archives()) {
    test(name, () => {
      for (let seed = 1; seed <= SEEDS_PER_ARCHIVE; seed++) {
        const random = new Random(seed);
        const mutant = mutated(archive, random);
        const outcome = outcomeOf(mutant, random);
        if (typeof outcome === "string") continue;
        const bytes = outcome.entries.reduce((sum, { content }) => sum + content.length, 0);
        assert.ok(bytes <= mutant.length, `seed ${seed}: ${bytes} bytes of data from ${mutant.length}`);
        assert.ok(outcome.entries.length <= mutant.length / 512, `seed ${seed}: ${outcome.entries.length} entries`);
      }
    });
  }
});

test("mutation reaches far: of mutants of one archive some decode, and some fail in many ways", () => {
  const archive = sampleArchives.pax;
  const outcomes = new Set<string>();
  for (let seed = 1; seed <= 2000; seed++) {
    const random = new Random(seed);
    const outcome = outcomeOf(mutated(archive, random), random);
    outcomes.add(typeof outcome === "string" ? outcome.replace(/\d+|".*"/g, "…") : "entries");
  }
  assert.ok(outcomes.has("entries"));
  assert.ok(outcomes.size >= 20, [...outcomes].join("\n"));
});

function archives(): [name: string, archive: Uint8Array][] {
  const corpora = (["go", "node-tar/archives"] as const).flatMap((folder) => {
    const archives = corpus(folder);
    return archives.names
      .filter((name) => name.endsWith(".tar"))
      .map((name): [string, Uint8Array] => [`${folder}/${name}`, corpusArchive(archives, name)]);
  });
  return [...Object.entries(sampleArchives), ...corpora].filter(([, archive]) => archive.length <= LARGEST_BYTES);
}

/** The message of a typed error, or the entries. Any other error is the test's. */
function outcomeOf(archive: Uint8Array, random: Random): Decoded | string {
  const options = { strict: random.chance(0.2), chunkBytes: () => 1 + random.below(4000) };
  try {
    return decoded(archive, options);
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_ARCHIVE", "LIMIT_EXCEEDED", "STRICT_VIOLATION")) return error.message;
    throw error;
  }
}

/** Makes one to four changes, and mostly puts the checksums right again, so that they do not hide what lies deeper. */
function mutated(archive: Uint8Array, random: Random): Uint8Array {
  let mutant: Uint8Array = archive.slice();
  for (let count = random.below(4); count >= 0; count--) mutant = random.oneOf(mutations)(mutant, random);
  if (random.chance(0.9)) repairChecksums(mutant);
  return mutant;
}

type Mutation = (bytes: Uint8Array, random: Random) => Uint8Array;

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.oneOf([0, 0x20, 0x2f, 0x30, 0x37, 0x39, 0x3d, 0x80, 0xff]);
    return bytes;
  },
  function changeHeader(bytes, random) {
    const block = 512 * random.below(Math.ceil(bytes.length / 512));
    const at =
      block + random.oneOf([0, 100, 108, 116, 124, 125, 134, 135, 136, 156, 157, 257, 263, 345, 386, 482, 483]);
    if (at < bytes.length) bytes[at] = random.oneOf([..."\0 0157LKxgSV23D9\xff"]).charCodeAt(0);
    return bytes;
  },
  function repeatBlock(bytes, random) {
    const at = 512 * random.below(bytes.length / 512);
    return Buffer.concat([bytes.subarray(0, at + 512), bytes.subarray(at)]);
  },
  function loseBlock(bytes, random) {
    const at = 512 * random.below(bytes.length / 512);
    return bytes.length <= 512 ? bytes : Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 512)]);
  },
  function cutOff(bytes, random) {
    return bytes.slice(0, 1 + random.below(bytes.length));
  },
];

/** Gives every block that looks like a header its right checksum. */
function repairChecksums(bytes: Uint8Array): void {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    const block = bytes.subarray(at, at + 512);
    const isHeader = Buffer.from(block.subarray(257, 262)).toString("latin1") === "ustar";
    if (isHeader) block.set(Buffer.from(`${checksum(block).toString(8).padStart(6, "0")}\0 `), 148);
  }
}
