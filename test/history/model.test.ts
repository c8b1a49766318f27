import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { WatchedLayers } from "../../src/history/watched-layers.ts";
import { nobody } from "../../src/layer/findings.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { type ByteString, byteString } from "../../src/tar/byte-string.ts";
import { TarDecoder } from "../../src/tar/decoder.ts";
import { TocDecoder } from "../../src/toc/toc-decoder.ts";
import { archived } from "../model/archive.ts";
import { randomStack } from "../model/generator.ts";
import type { Item, Listing } from "../model/listing.ts";
import type { Stack } from "../model/member.ts";
import { isObjection, modelled } from "../model/model.ts";
import { stackText } from "../model/stack-text.ts";
import { inChunks } from "../support/decode.ts";
import { isThorough } from "../support/thorough.ts";
import { tocOf } from "../toc/toc-of.ts";

const seeds = isThorough ? 2000 : 60;
const settings = applySettings({ limits: defaultLimits });

describe("what each layer does is the difference of the model's trees before and after it", () => {
  for (const form of ["archives", "indexes"] as const) {
    test(`by ${form}, for ${seeds} random stacks`, () => {
      let compared = 0;
      for (let seed = 0; seed < seeds; seed++) if (agrees(seed, form)) compared += 1;
      assert.ok(compared > seeds / 2, `only ${compared}`);
    });
  }
});

type Form = "archives" | "indexes";

/** Compares a stack, if the rules say what comes of it. */
function agrees(seed: number, form: Form): boolean {
  const stack = randomStack(seed);
  const trees = listings(stack);
  if (trees === undefined) return false;
  const text = () => `seed ${seed}\n${stackText(stack)}`;
  const { counts } = watched(stack, form);
  const expected = trees.slice(1).map((after, layer) => countsOf(trees[layer] ?? {}, after));
  assert.deepEqual(counts, expected, text());
  const paths = [...new Set(trees.flatMap((tree) => Object.keys(tree)))].filter((path) => path !== ".");
  for (const path of paths.slice(0, 5)) assertPath(path, trees, stack, form, text);
  return true;
}

function assertPath(path: string, trees: readonly Listing[], stack: Stack, form: Form, text: () => string): void {
  const { history } = watched(stack, form, path as ByteString);
  // A path may be another one now: then the history is that of the other one.
  const events = trees
    .slice(1)
    .flatMap((after, layer) => eventOf(layer, trees[layer]?.[history.path], after[history.path]));
  const told = history.events.flatMap(({ layer, kind, parts }) => {
    if (kind === "linked" || (kind === "replaced" && parts.length === 0)) return [];
    const isGone = kind === "removed" || kind === "hidden";
    return [{ layer, kind: isGone ? "gone" : kind === "replaced" ? "changed" : kind, parts: [...parts].sort() }];
  });
  assert.deepEqual(told.reverse(), events, `${path}: ${text()}`);
  assert.equal(history.node !== undefined, history.path in (trees.at(-1) ?? {}) || history.path === "", text());
}

function eventOf(layer: number, before: Item | undefined, after: Item | undefined) {
  if (before === undefined) return after === undefined ? [] : [{ layer, kind: "added", parts: [] }];
  if (after === undefined) return [{ layer, kind: "gone", parts: [] }];
  const parts = partsOf(before, after);
  return parts.length === 0 ? [] : [{ layer, kind: "changed", parts }];
}

function countsOf(before: Listing, after: Listing) {
  const [added, changed, removed] = [0, 0, 0];
  const counts = { added, changed, removed };
  for (const path of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (path === ".") continue;
    const [event] = eventOf(0, before[path], after[path]);
    if (event?.kind === "added") counts.added += 1;
    if (event?.kind === "changed") counts.changed += 1;
    if (event?.kind === "gone") counts.removed += 1;
  }
  return counts;
}

/** What is different, in the words of a history. */
function partsOf(before: Item, after: Item): string[] {
  if (before.type !== after.type) return ["type"];
  const parts: string[] = [];
  if (before.mode !== after.mode) parts.push("mode");
  if (before.owner !== after.owner) parts.push("owner");
  if (before.mtime !== after.mtime) parts.push("time");
  if (JSON.stringify(before.xattrs) !== JSON.stringify(after.xattrs)) parts.push("xattrs");
  if (before.content !== after.content) parts.push("content");
  if (lengthOf(before) !== lengthOf(after)) parts.push("size");
  if (before.target !== after.target) parts.push("target");
  if (before.device !== after.device) parts.push("device");
  return parts.sort();
}

function lengthOf({ content = "" }: Item): number {
  const long = /^(\d+) bytes, sha256 /.exec(content);
  return long === null ? content.length : Number(long[1]);
}

/** The tree before the first layer, and the one after each; `undefined` where the rules do not say what comes out. */
function listings(stack: Stack): readonly Listing[] | undefined {
  try {
    return [{}, ...stack.map((_, layer) => modelled(stack.slice(0, layer + 1), { devices: "create" }))];
  } catch (error) {
    if (isObjection(error)) return undefined;
    throw error;
  }
}

function watched(stack: Stack, form: Form, path?: ByteString) {
  const layers = new WatchedLayers(settings, nobody, path);
  const options = { limits: defaultLimits, strict: false, warning() {} };
  const counts = stack.map((members, layer) => {
    const archive = archived(members);
    const bytes = form === "archives" ? archive : tocOf(archive);
    const input = inChunks(bytes, () => bytes.length);
    const decoder = form === "archives" ? new TarDecoder(input, options) : new TocDecoder(input, options);
    const sink = layers.begin(layer);
    for (let entry = decoder.next(); entry !== undefined; entry = decoder.next()) sink.apply(entry, decoder);
    sink.end();
    return layers.end();
  });
  const none = { path: byteString(new Uint8Array(0)), node: undefined, events: [] };
  return { counts, history: path === undefined ? none : layers.pathHistory() };
}
