import { MemoryBudget, MemoryShare } from "../base/memory-budget.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { inLayer } from "../worker/in-layer.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { tell } from "../worker/serve.ts";
import { LayersSoFar } from "./layers-so-far.ts";
import { bytesOfListed, counted, type ListedEntry } from "./listed-entry.ts";
import { type Answer, answered, type Question } from "./question.ts";

/** What the merging thread is to do with layers that come newest first: to answer a question with as few as possible. */
export interface LookJob {
  readonly type: "look";
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  readonly question: Question;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** What the same thread is to do with one layer: to hand over the data of one of its files. */
export interface ExtractJob {
  readonly type: "extract";
  readonly input: SharedRing;
  readonly layer: number;
  /** The index of the file's entry in the layer. */
  readonly entryIndex: number;
  readonly outlet: SharedOutlet;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** What it tells besides what every thread does. */
export type LookReport =
  /** The next lower layer is needed for an answer. */
  | { readonly type: "layer-wanted" }
  /** Some of the entries that are asked for, in order. */
  | { readonly type: "listed"; readonly entries: readonly ListedEntry[] }
  /** All has been said; no more layers, and no more of a layer, are needed. */
  | { readonly type: "answered"; readonly entryIndex: number };

/** How many entries one message holds, and how many bytes. */
const entriesAtATime = 1000;
const bytesAtATime = 1024 * 1024;

/** Reads layers, the newest first, until they say enough. May open nothing: it has no use for a file. */
export function look(job: LookJob): void {
  tell({ type: "confined", status: confineThread(job.sandbox, {}) });
  const { entries, entryIndex } = answer(job);
  let batch: ListedEntry[] = [];
  let batchBytes = 0;
  for (const entry of entries) {
    batchBytes += bytesOfListed(entry);
    if (batch.push(entry) < entriesAtATime && batchBytes < bytesAtATime) continue;
    tell<LookReport>({ type: "listed", entries: batch });
    batch = [];
    batchBytes = 0;
  }
  tell<LookReport>({ type: "listed", entries: batch });
  tell<LookReport>({ type: "answered", entryIndex });
}

function answer({ input, layers, question, settings }: LookJob): Answer {
  const budget = new MemoryBudget(settings.limits);
  const soFar = new LayersSoFar({ ...settings, devices: "create" }, budget);
  const reader = new RingReader(input);
  const memory = new MemoryShare(budget);
  const ask = (number: number, entriesOfLayer: Iterable<Entry>) => {
    soFar.add(number, entriesOfLayer);
    return soFar.answer((root) => {
      memory.releaseAll(); // what an attempt before listed in vain
      const { entries: uncounted, entryIndex } = answered(root, question);
      const entries = counted(uncounted, memory);
      // On an unknown base an entry may turn out to be beyond what is known: all must be seen before one is told.
      return { entryIndex, entries: number === 0 ? entries : [...entries] };
    });
  };
  for (const { number } of layers) {
    tell<LookReport>({ type: "layer-wanted" });
    // The end of an archive comes only when its digest and diffID were right: what it says is the image's.
    const found = ask(number, entriesOf(number, reader, settings));
    if (found !== undefined) return found;
  }
  return ask(0, []) ?? fail("nothing is below the bottom layer");
}

function* entriesOf(layer: number, input: ByteSource, { limits, strict }: LookJob["settings"]): Iterable<Entry> {
  const decoder = new TarDecoder(input, { limits, strict, warning() {} });
  const next = () => inLayer(layer, () => decoder.next());
  for (let entry = next(); entry !== undefined; entry = next()) yield entry;
}

/** Hands over the data of one file, holes filled with zeros. */
export function extract(job: ExtractJob): void {
  tell({ type: "confined", status: confineThread(job.sandbox, {}) });
  const { limits, strict } = job.settings;
  const decoder = new TarDecoder(new RingReader(job.input), { limits, strict, warning() {} });
  let entry = decoder.next();
  for (let entryIndex = 0; entryIndex < job.entryIndex && entry !== undefined; entryIndex += 1) entry = decoder.next();
  if (entry === undefined) throw new TypeError(`layer ${job.layer} has no entry ${job.entryIndex}`);
  const outlet = new Outlet(job.outlet, (bytes) => tell({ type: "bytes", bytes }));
  writeWhole(entry, decoder, outlet);
  outlet.end();
  tell<LookReport>({ type: "answered", entryIndex: job.entryIndex });
}

function writeWhole(
  { sizeBytes, segments = [{ offset: 0, length: sizeBytes }] }: Entry,
  body: ByteSource,
  outlet: Outlet,
) {
  let at = 0;
  let piece: Uint8Array = new Uint8Array(0);
  for (const { offset, length } of segments) {
    outlet.fill(offset - at);
    for (let rest = length; rest > 0; ) {
      if (piece.length === 0) piece = body.read() ?? fail("the decoder gives all data or throws");
      const part = piece.subarray(0, rest);
      outlet.write(part);
      piece = piece.subarray(part.length);
      rest -= part.length;
    }
    at = offset + length;
  }
  outlet.fill(sizeBytes - at);
}

function fail(why: string): never {
  throw new TypeError(why);
}
