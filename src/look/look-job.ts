import { OciUnpackError } from "../base/errors.ts";
import { type Memory, MemoryBudget, MemoryShare } from "../base/memory-budget.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { nobody } from "../layer/findings.ts";
import { PlacedEntries } from "../layer/placed-entries.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineFromFiles } from "../system/sandbox.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { IndexedArchive } from "../toc/indexed-archive.ts";
import { TocDecoder } from "../toc/toc-decoder.ts";
import { bytesOfListed, counted, type ListedEntry } from "../tree/listed-entry.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { type LayersToMerge, layerDecoder, layerIndexing } from "../worker/layer-indexing.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Outlet, type SharedOutlet } from "../worker/outlet.ts";
import { RingReader, type SharedRing } from "../worker/ring.ts";
import { inLayer, tell } from "../worker/serve.ts";
import { type FileData, IndexedData } from "./file-data.ts";
import { LayerDigests } from "./layer-digests.ts";
import { LayersSoFar, mergeLayer } from "./layers-so-far.ts";
import { type Answer, answered, type Question } from "./question.ts";

/** The job to answer a question. */
export interface LookJob extends LayersToMerge {
  readonly type: "look";
  /**
   * In which order the layers come: newest first, and no more of them than it takes to answer, or bottom first, and all
   * of them. All of them are merged in half the time if none has to wait for those below it.
   */
  readonly order: "newest-first" | "bottom-first";
  readonly question: Question;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** The job to send a part of a layer's archive to the main thread. */
export interface ExtractRangeJob {
  readonly type: "extract-range";
  readonly input: SharedRing;
  readonly layer: number;
  readonly range: Pick<FileData, "offset" | "length">;
  readonly outlet: SharedOutlet;
  readonly sandbox: SandboxPolicy;
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

/** The reports of these jobs besides the engine's. */
export type LookReport =
  /** The next lower layer is needed. */
  | { readonly type: "layer-wanted" }
  /** Some of the entries that were asked for, in order. */
  | { readonly type: "listed"; readonly entries: readonly ListedEntry[] }
  /** The answer is complete. No more bytes are needed. */
  | ({ readonly type: "answered" } & Whereabouts);

/** Where the content of a file is. */
export interface Whereabouts {
  /** The index of its entry in its layer. */
  readonly entryIndex: number;
  /** Where its data are in the archive of its layer; absent where no index says it. */
  readonly data?: FileData | undefined;
}

/** How many entries, and how many bytes of them, one report has at most. */
const entriesAtATime = 1000;
const bytesAtATime = 1024 * 1024;

/**
 * Reads layers until the question can be answered. The thread is confined so that it can open no file.
 */
export function look(job: LookJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
  const { entries, ...whereabouts } = answer(job);
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
  tell<LookReport>({ type: "answered", ...whereabouts });
}

interface Reply extends Whereabouts {
  readonly entries: Iterable<ListedEntry>;
}

function answer(job: LookJob): Reply {
  return job.order === "bottom-first" ? answerFromBottom(job) : answerFromTop(job);
}

function answerFromBottom(job: LookJob): Reply {
  const { layers, question, settings } = job;
  const memory = new MemoryBudget(settings.limits);
  const tree = new MergedTree({ ...settings, devices: "create" }, nobody, { memory });
  const facts = factsFor(question, settings, memory);
  const entriesOf = layerReader(job, facts);
  for (const layer of layers) {
    tell<LookReport>({ type: "layer-wanted" });
    mergeLayer(tree, layer.number, entriesOf(layer));
  }
  return replyOf(answered(tree.root, question, facts.digests), facts, memory);
}

function replyOf({ entries, file }: Answer, { data }: Facts, memory: Memory): Reply {
  return { entryIndex: file?.content ?? 0, data: file && data?.get(file), entries: counted(entries, memory) };
}

function answerFromTop(job: LookJob): Reply {
  const { layers, question, settings } = job;
  const budget = new MemoryBudget(settings.limits);
  const soFar = new LayersSoFar({ ...settings, devices: "create" }, budget);
  const memory = new MemoryShare(budget);
  const facts = factsFor(question, settings, budget);
  const entriesOf = layerReader(job, facts);
  const ask = (number: number, entriesOfLayer: Iterable<Entry>) => {
    soFar.add(number, entriesOfLayer);
    return soFar.answer((root) => {
      memory.releaseAll(); // what an attempt before has listed
      const reply = replyOf(answered(root, question, facts.digests), facts, memory);
      // While lower layers are missing, any entry may turn out to depend on them: all have to be made before one is
      // reported.
      return number === 0 ? reply : { ...reply, entries: [...reply.entries] };
    });
  };
  for (const layer of layers) {
    tell<LookReport>({ type: "layer-wanted" });
    // The archive ends only when its digest and diffID were right, so that what it says is the image's.
    const found = ask(layer.number, entriesOf(layer));
    if (found !== undefined) return found;
  }
  return ask(0, []) ?? fail("nothing is below the bottom layer");
}

/** What is taken down of entries besides what the tree has. */
interface Facts {
  /** Where the listing has digests. */
  readonly digests?: LayerDigests;
  /** Where the content of a file is looked for. */
  readonly data?: IndexedData;
}

function factsFor(question: Question, { limits }: RootfsSettings, memory: Memory): Facts {
  if (question.about === "content") return { data: new IndexedData(memory) };
  return question.hasDigests === true ? { digests: new LayerDigests(limits, memory) } : {};
}

/** Gives a function that reads the next layer, to its end, and makes its index if one is wanted. */
function layerReader(job: LookJob, { digests, data }: Facts): (layer: NumberedLayer) => Iterable<Entry> {
  const { limits, strict } = job.settings;
  const input = new RingReader(job.input);
  const indexing = layerIndexing(job);
  return function* ({ number, form, below }) {
    const decoder = layerDecoder({ layer: number, form, input, indexing }, { limits, strict, warning() {} });
    const stored = decoder instanceof TocDecoder ? decoder : undefined;
    const placing = below === undefined ? undefined : new PlacedEntries(byteStringOf(below));
    digests?.beginLayer(number);
    if (stored !== undefined) data?.beginLayer(number);
    const next = () =>
      inLayer(number, () => {
        const entry = decoder.next();
        if (entry === undefined) return undefined;
        digests?.add(entry, decoder);
        if (stored !== undefined) data?.add(stored.facts);
        return placing?.placed(entry) ?? entry;
      });
    for (let entry = next(); entry !== undefined; entry = next()) yield entry;
    if (decoder instanceof IndexedArchive) indexing?.end(number, decoder.end());
  };
}

/** Sends a part of an archive to the main thread, which verifies it. */
export function extractRange({ input, layer, range, outlet: shared, sandbox }: ExtractRangeJob): void {
  tell({ type: "confined", status: confineFromFiles(sandbox) });
  const archive = new RingReader(input);
  const outlet = new Outlet(shared, (bytes) => tell({ type: "bytes", bytes }));
  const end = range.offset + range.length;
  for (let at = 0; at < end; ) {
    const piece = archive.read() ?? endsTooEarly(layer, at, end);
    outlet.write(piece.subarray(Math.max(0, range.offset - at), Math.max(0, end - at)));
    at += piece.length;
  }
  outlet.end();
  tell<LookReport>({ type: "answered", entryIndex: 0 });
}

function endsTooEarly(layer: number, bytes: number, end: number): never {
  const message = `cannot read layer ${layer + 1}: its archive ends after ${bytes} bytes, before byte ${end}`;
  throw new OciUnpackError("INVALID_ARCHIVE", message, { details: { layer } });
}

/** Sends the data of one file to the main thread, with zeros for holes. */
export function extract(job: ExtractJob): void {
  tell({ type: "confined", status: confineFromFiles(job.sandbox) });
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
