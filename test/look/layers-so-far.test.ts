import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { defaultLimits } from "../../src/base/limits.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { LayersSoFar } from "../../src/look/layers-so-far.ts";
import { answered, type Question } from "../../src/look/question.ts";
import { type ByteString, byteStringOf } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import type { Entry } from "../../src/tar/entry.ts";
import type { ListedEntry } from "../../src/tree/listed-entry.ts";
import type { TreeDirectory } from "../../src/tree/tree-file.ts";
import { archived, sourceOf } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import type { Stack } from "../model/member.ts";
import { Random } from "../model/random.ts";
import { stackText } from "../model/stack-text.ts";
import { directory, file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";

const limits = defaultLimits;
const settings = applySettings({ devices: "create", limits });

function entriesOf(archive: Uint8Array): Entry[] {
  const decoder = new TarDecoder(sourceOf(archive), { limits, strict: false, warning() {} });
  const entries: Entry[] = [];
  for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) entries.push(entry);
  return entries;
}

interface Found {
  readonly entries: readonly ListedEntry[];
  readonly entryIndex: number;
}

/** What comes of a question, and how many layers it took. */
interface Outcome {
  readonly answer: Found | string;
  readonly layers: number;
}

/** Asks after each layer from the newest down. */
function ask(layers: readonly (readonly Entry[])[], question: Question): Outcome {
  const soFar = new LayersSoFar(settings);
  for (let number = layers.length - 1; number >= 0; number -= 1) {
    const answer = orRefusal(() => {
      soFar.add(number, layers[number] ?? []);
      return soFar.answer((root) => found(root, question));
    });
    if (answer !== undefined) return { answer, layers: layers.length - number };
  }
  throw new Error("the bottom layer leaves nothing open");
}

/** Asks when everything is known. */
function askWhole(layers: readonly (readonly Entry[])[], question: Question): Found | string | undefined {
  const soFar = new LayersSoFar(settings);
  return orRefusal(() => {
    for (const [number, entries] of [...layers.entries()].reverse()) soFar.add(number, entries);
    return soFar.answer((root) => found(root, question));
  });
}

function found(root: TreeDirectory, question: Question): Found {
  const { entries, file } = answered(root, question);
  return { entries: [...entries], entryIndex: file?.content ?? 0 };
}

function orRefusal<T>(work: () => T): T | string {
  try {
    return work();
  } catch (error) {
    if (isOciUnpackError(error)) return error.code;
    throw error;
  }
}

const content = (path: string): Question => ({ about: "content", path: byteStringOf(path) });
const entries = (path: string, isRecursive = false): Question => ({
  ...{ about: "entries", path: byteStringOf(path), isRecursive },
});

describe("an answer that needs no lower layers is the answer of the whole image", () => {
  for (let first = 0; first < (isThorough ? 2000 : 250); first += 250) {
    test(`for the stacks of seeds ${first} to ${first + 249}`, () => {
      for (let seed = first; seed < first + 250; seed += 1) assertSound(seed);
    });
  }
});

function assertSound(seed: number): void {
  const stack = randomStack(seed);
  const layers = stack.map((layer) => entriesOf(archived(layer)));
  // A lower layer that must not be unpacked is never noticed by who does not read it.
  const isRefused = (answer: unknown) => typeof answer === "string" && !["NOT_FOUND", "NOT_A_FILE"].includes(answer);
  const random = new Random(seed);
  for (const question of questions(random, stack)) {
    const whole = askWhole(layers, question);
    if (isRefused(whole)) continue;
    const { answer } = ask(layers, question);
    assert.deepEqual(answer, whole, `seed ${seed}, ${JSON.stringify(question)}\n${stackText(stack)}`);
  }
}

function questions(random: Random, stack: Stack): Question[] {
  const paths = ["a", ...stack.flat().map(({ path }) => path.replace(/\.wh\.(?:\.wh\.\.opq)?/, ""))];
  return random.many(4, 4, () => {
    const path = (
      random.chance(0.8) ? random.oneOf(paths) : random.oneOf(["", "a", "b/", "a/../b", "c/d"])
    ) as ByteString;
    if (random.chance(0.5)) return { about: "content", path };
    return { about: "entries", path, isRecursive: random.chance(0.3) };
  });
}

/** How many layers a question takes, the newest counted first. */
function layersFor(layers: readonly Uint8Array[], question: Question): number {
  return ask(layers.map(entriesOf), question).layers;
}

const base = tar(
  directory("etc"),
  file("etc/passwd", "root"),
  directory("usr/bin"),
  file("usr/bin/x", "1"),
  symlink("bin", "usr/bin"),
);

describe("layers are read from the newest down, and no more than needed", () => {
  test("a file is found in the layer that has it, if its directories are named there", () => {
    const newest = tar(directory("etc"), file("etc/passwd", "me"));
    assert.equal(layersFor([base, base, newest], content("/etc/passwd")), 1);
  });

  test("a file whose directories are not named may lie behind a lower layer's symlink", () => {
    assert.equal(layersFor([base, base, tar(file("etc/passwd", "me"))], content("/etc/passwd")), 3);
    assert.deepEqual(ask([base, tar(file("bin/x", "2"))].map(entriesOf), content("/usr/bin/x")), {
      answer: { ...whole([base, tar(file("bin/x", "2"))], content("/usr/bin/x")) },
      layers: 2,
    });
  });

  test("a file that the newest layer does not have is looked for in the next", () => {
    const between = tar(directory("etc"), file("etc/passwd", "me"));
    const newest = tar(directory("var"), file("var/log", "1"));
    assert.equal(layersFor([base, between, newest], content("etc/passwd")), 2);
  });

  test("what a layer hides or replaces is not looked for below", () => {
    const layers = (newest: Uint8Array) => [base, base, newest];
    assert.equal(layersFor(layers(tar(directory("etc"), whiteout("etc/passwd"))), content("etc/passwd")), 1);
    assert.equal(layersFor(layers(tar(directory("etc"), opaque("etc"))), content("etc/passwd")), 1);
    assert.equal(layersFor(layers(tar(whiteout("etc"))), content("etc/passwd")), 1);
    assert.equal(layersFor(layers(tar(file("etc", "a file"))), content("etc/passwd")), 1);
    assert.equal(layersFor(layers(tar(opaque(""))), content("etc/passwd")), 1);
  });

  test("a directory's listing needs all layers, unless one hides those below it", () => {
    assert.equal(layersFor([base, base, tar(directory("etc"), file("etc/x", "1"))], entries("etc")), 3);
    const fresh = tar(directory("etc"), opaque("etc"), file("etc/x", "1"));
    assert.equal(layersFor([base, fresh, tar(directory("var"))], entries("etc")), 2);
    assert.equal(layersFor([base, fresh, tar(directory("var"))], entries("/", true)), 3);
  });

  test("a hard link is looked for where its target is", () => {
    const newest = tar(directory("etc"), hardlink("etc/copy", "etc/passwd"));
    assert.equal(layersFor([base, newest, tar(directory("var"))], content("etc/copy")), 3);
  });

  test("a symlink is followed into lower layers", () => {
    const newest = tar(directory("srv"), symlink("srv/users", "../etc/passwd"));
    assert.equal(layersFor([base, newest], content("srv/users")), 2);
    assert.equal(layersFor([base, newest], entries("srv/users")), 1);
  });
});

function whole(layers: readonly Uint8Array[], question: Question): object {
  const answer = askWhole(layers.map(entriesOf), question);
  assert.ok(typeof answer === "object");
  return answer;
}

/** Counts how often an entry of a layer is merged, which is when somebody looks at its mode. */
class Merging {
  entries = 0;

  counted(archive: Uint8Array): readonly Entry[] {
    const note = () => {
      this.entries += 1;
    };
    return entriesOf(archive).map((entry) => ({
      ...entry,
      get mode() {
        note();
        return 0o755;
      },
    }));
  }
}

test("a question of many layers is asked again only where a layer may have what was missing", () => {
  const merging = new Merging();
  const layers = Array.from({ length: 300 }, (_, number) =>
    merging.counted(tar(directory("app"), ...Array.from({ length: 100 }, (_, n) => file(`app/${number}-${n}`, "")))),
  );
  const entriesInAll = layers.flat().length;
  assert.equal(ask([entriesOf(base), ...layers], content("etc/passwd")).layers, 301);
  assert.ok(merging.entries <= 2 * entriesInAll, `${merging.entries} entries were merged, of ${entriesInAll}`);
});

test("layers that seem to have what is missing, and never do, are not merged again for each", () => {
  const merging = new Merging();
  // `..` may lead anywhere, as far as its text tells.
  const always = () => [directory("app"), file("app/../note", "")];
  const layers = Array.from({ length: 200 }, (_, number) => {
    const files = Array.from({ length: 300 }, (_, n) => file(`app/${number}-${n}`, ""));
    return merging.counted(tar(...always(), ...files));
  });
  const entriesInAll = layers.flat().length;
  const { layers: read } = ask([entriesOf(base), ...layers], content("etc/passwd"));
  assert.equal(read, 201);
  assert.ok(merging.entries < 20 * entriesInAll, `${merging.entries} entries were merged, of ${entriesInAll}`);

  const answering = entriesOf(tar(directory("etc"), file("etc/passwd", "me")));
  const read2 = ask([entriesOf(base), ...layers.slice(0, 40), answering, ...layers], content("etc/passwd")).layers;
  assert.ok(read2 > 200 && read2 <= 251, `${read2} layers were read, of which 201 are needed`);
});
