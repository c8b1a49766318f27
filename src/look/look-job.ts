import { MemoryBudget, MemoryShare } from "../base/memory-budget.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { bytesOfListed, counted, type ListedEntry } from "../tree/listed-entry.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { inLayer, tell } from "../worker/serve.ts";
import { LayerDigests } from "./layer-digests.ts";
import { LayersSoFar } from "./layers-so-far.ts";
import { type Answer, answered, type Question } from "./question.ts";

/** The job to answer a question with as few layers as possible, which come newest first. */
export interface LookJob {
  readonly type: "look";
  readonly input: SharedRing;
  readonly layers: readonly NumberedLayer[];
  readonly question: Question;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The job to send the data of one file of one layer to the main thread. */
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

/** The reports of a `LookJob` and an `ExtractJob` besides the engine's. */
export type LookReport =
  /** The next lower layer is needed. */
  | { readonly type: "layer-wanted" }
  /** Some of the entries that were asked for, in order. */
  | { readonly type: "listed"; readonly entries: readonly ListedEntry[] }
  /** The answer is complete. No more bytes are needed. */
  | { readonly type: "answered"; readonly entryIndex: number };

/** How many entries, and how many bytes of them, one report has at most. */
const entriesAtATime = 1000;
const bytesAtATime = 1024 * 1024;

/**
 * Reads layers, newest first, until the question can be answered. The thread is confined so that it can open no file.
 */
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
  const hasDigests = question.about === "entries" && question.hasDigests === true;
  const digests = hasDigests ? new LayerDigests(settings.limits, budget) : undefined;
  const ask = (number: number, entriesOfLayer: Iterable<Entry>) => {
    soFar.add(number, entriesOfLayer);
    return soFar.answer((root) => {
      memory.releaseAll(); // what an attempt before has listed
      const { entries: uncounted, entryIndex } = answered(root, question, digests);
      const entries = counted(uncounted, memory);
      // While lower layers are missing, any entry may turn out to depend on them: all have to be made before one is
      // reported.
      return { entryIndex, entries: number === 0 ? entries : [...entries] };
    });
  };
  for (const { number } of layers) {
    tell<LookReport>({ type: "layer-wanted" });
    // The archive ends only when its digest and diffID were right, so that what it says is the image's.
    const found = ask(number, entriesOf(number, reader, settings, digests));
    if (found !== undefined) return found;
  }
  return ask(0, []) ?? fail("nothing is below the bottom layer");
}

function* entriesOf(
  layer: number,
  input: ByteSource,
  { limits, strict }: LookJob["settings"],
  digests: LayerDigests | undefined,
): Iterable<Entry> {
  const decoder = new TarDecoder(input, { limits, strict, warning() {} });
  digests?.beginLayer(layer);
  const next = () =>
    inLayer(layer, () => {
      const entry = decoder.next();
      if (entry !== undefined) digests?.add(entry, decoder);
      return entry;
    });
  for (let entry = next(); entry !== undefined; entry = next()) yield entry;
}

/** Sends the data of one file to the main thread, with zeros for holes. */
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
