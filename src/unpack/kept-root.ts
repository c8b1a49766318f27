import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { CloneMode } from "../base/option-words.ts";
import { CloneThreads } from "../clone/clone-tree.ts";
import { listedXattrs, rewriteList, rootfsName, writeList } from "../clone/kept-tree.ts";
import type { Transfer } from "../clone/new-files.ts";
import { rightsAsText } from "../linux/thread.ts";
import type { AddedLayer } from "../operation/added-layer.ts";
import { decisive } from "../operation/decisive.ts";
import type { ImageFindings } from "../operation/image-findings.ts";
import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { ClonedAs } from "../operation/options.ts";
import type { NewFile } from "../output/new-file.ts";
import { giveOutFile, keepFile } from "../store/kept-files.ts";
import { type KeptResult, KeptResults, keyOf } from "../store/kept-results.ts";
import { isListIntact, type TreeRecord } from "../store/kept-trees.ts";
import { isReadOnly } from "../store/store-use.ts";
import { discardFromThread } from "../worker/discarding.ts";
import type { EngineReport } from "../worker/messages.ts";
import { Pipeline } from "../worker/pipeline.ts";
import type { Applied } from "./apply-layers.ts";
import { transferInto } from "./clone-target.ts";
import type { Apply, MadeRoot, RootMaker } from "./root-maker.ts";

interface RootRecord extends TreeRecord {
  readonly applied: Applied;
  readonly findings: ImageFindings["findings"];
}

/** What a root filesystem is to be, and where. */
export interface RootToBe {
  /** Absolute path of the empty directory that becomes it. */
  readonly staging: string;
  readonly clone: CloneMode | undefined;
  /** An empty file for a list of all that is unpacked. */
  readonly mtree: NewFile | undefined;
  readonly added: AddedLayer;
}

const words: Readonly<Record<Transfer, ClonedAs>> = { reflink: "reflink", copy: "copied", hardlink: "hardlink" };

/** The form of what is recorded. Trees of another form are not found. */
const form = 1;

/** What is known as soon as the store is open. */
interface Places {
  readonly trees: KeptResults<RootRecord>;
  readonly transfer: Transfer;
  readonly threads: CloneThreads;
  readonly isOffline: boolean;
}

/** Makes a root filesystem as the clone of a tree that is kept in a store, and makes that tree where there is none. */
export class KeptRoot implements RootMaker {
  readonly #operation: Operation;
  readonly #wanted: RootToBe;
  #places: Places | undefined;

  constructor(operation: Operation, wanted: RootToBe) {
    this.#operation = operation;
    this.#wanted = wanted;
  }

  /**
   * Finds out how files get from the store into the empty directory; throws `FILE_SYSTEM` where not as the caller wants
   * it. The threads start in the background.
   */
  async begin(): Promise<void> {
    const { signal, events } = this.#operation;
    const use = this.#operation.storeToKeepIn(true);
    if (use === undefined) throw new TypeError("there is no store");
    const store = await use.open({ signal, onEvent: events.tell });
    const transfer = await transferInto(this.#wanted.staging, store, this.#wanted.clone);
    const trees = new KeptResults<RootRecord>(store, "tree");
    this.#places = { trees, transfer, threads: await CloneThreads.start(), isOffline: use.isOffline };
  }

  async make(accepted: AcceptedImage, apply: Apply): Promise<MadeRoot> {
    const { trees, transfer } = this.#opened;
    const key = this.#keyOf(accepted);
    const kept = await trees.find(key);
    if (kept !== undefined) {
      if (await this.#isGivenOut(kept)) {
        await trees.touch(kept);
        const { applied, findings } = kept.record;
        for (const finding of findings) this.#operation.events.find(finding);
        return { ...applied, downloadedBytes: 0, kept: words[transfer] };
      }
      await this.discard();
      await this.#removeChanged(key);
      await this.#renewThreads();
    }
    await using pipeline = new Pipeline(this.#operation.settings.apply.limits);
    const staged = await this.#stage();
    if (staged === undefined) return await apply(pipeline, this.#wanted.staging);
    try {
      const record = await this.#makeTree(accepted, staged, pipeline, apply);
      const change = await this.#cloned({ path: staged, record }, () => {});
      if (change !== undefined) throw changedMeanwhile(staged, change);
      await trees.keep(staged, key, transfer === "hardlink" ? await this.#refreshed(staged, record) : record);
      return record.applied;
    } catch (error) {
      await trees.discard(staged);
      throw error;
    }
  }

  discard(): Promise<void> {
    return discardFromThread(this.#wanted.staging, this.#operation.settings.sandbox);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#places?.threads[Symbol.asyncDispose]();
  }

  get #opened(): Places {
    if (this.#places === undefined) throw new TypeError("the store is not open");
    return this.#places;
  }

  async #makeTree({ image }: AcceptedImage, staged: string, pipeline: Pipeline, apply: Apply): Promise<RootRecord> {
    const { events, signal, settings } = this.#operation;
    const { mtree } = this.#wanted;
    const rootfs = join(staged, rootfsName);
    await mkdir(rootfs, { mode: 0o700 });
    events.takeDown();
    const applied = await apply(pipeline, rootfs);
    const xattrs = listedXattrs(settings.apply);
    const { limits } = settings.apply;
    const written = await writeList(pipeline, staged, { xattrs, limits }, { signal, onReport: events.report });
    return {
      name: image.reference,
      digest: image.digest,
      ...written,
      xattrs,
      applied,
      findings: events.found.findings,
      ...(mtree !== undefined && {
        mtree: await keepFile(mtree.temporaryPath, { directory: staged, name: "mtree" }, signal),
      }),
    };
  }

  /** Clones a tree, and gives the list of it; false where they are not as they were recorded. */
  async #isGivenOut(kept: KeptResult<RootRecord>): Promise<boolean> {
    const { mtree } = this.#wanted;
    const { record, path } = kept;
    if ((await this.#cloned(kept, this.#operation.events.report)) !== undefined) return false;
    if (mtree === undefined || record.mtree === undefined) return mtree === undefined;
    return (await giveOutFile(record.mtree, path, mtree.temporaryPath, this.#operation.signal)) !== undefined;
  }

  /** Clones a tree into the staging directory. Where it is not as it was recorded, returns what was found. */
  async #cloned(
    { path, record }: Pick<KeptResult<RootRecord>, "path" | "record">,
    onReport: (report: EngineReport) => void,
  ): Promise<string | undefined> {
    const { signal, settings } = this.#operation;
    if (!(await isListIntact(path, record, signal))) return "its list was changed";
    try {
      return await this.#opened.threads.clone({
        tree: path,
        layout: record.list.layout,
        xattrs: record.xattrs,
        staging: this.#wanted.staging,
        transfer: this.#opened.transfer,
        sandbox: settings.sandbox,
        onReport,
        signal,
      });
    } catch (error) {
      throw error instanceof OciUnpackError && error.code === "STRICT_VIOLATION" ? unfit(error) : error;
    }
  }

  /** The record of a tree whose files were just given further names. */
  async #refreshed(staged: string, record: RootRecord): Promise<RootRecord> {
    const { signal, settings } = this.#operation;
    await using pipeline = new Pipeline(settings.apply.limits); // the other one may not read what lies beside the root
    const list = await rewriteList(pipeline, staged, record, { signal, onReport: () => {}, sandbox: settings.sandbox });
    return { ...record, list };
  }

  /** A place in the store for a new tree. Nothing where the store can only be read. */
  async #stage(): Promise<string | undefined> {
    try {
      return await this.#opened.trees.stage();
    } catch (error) {
      if (this.#opened.isOffline && isReadOnly(error)) return undefined;
      throw error;
    }
  }

  async #removeChanged(key: string): Promise<void> {
    try {
      await this.#opened.trees.remove(key);
    } catch (error) {
      if (!(this.#opened.isOffline && isReadOnly(error))) throw error;
    }
  }

  async #renewThreads(): Promise<void> {
    await this.#opened.threads[Symbol.asyncDispose]();
    this.#places = { ...this.#opened, threads: await CloneThreads.start() };
  }

  #keyOf({ image }: AcceptedImage): string {
    const { added, mtree } = this.#wanted;
    const hasMtree = mtree !== undefined;
    return keyOf({ ...decisive(this.#operation.settings, image, added), form, hasMtree, rights: rightsAsText() });
  }
}

function changedMeanwhile(path: string, change: string): OciUnpackError {
  return new OciUnpackError("FILE_SYSTEM", `cannot clone "${path}", which was made just now: ${change}`, {
    hint: "let nobody else write to the store",
  });
}

function unfit(error: OciUnpackError): OciUnpackError {
  return new OciUnpackError("FILE_SYSTEM", `cannot clone the kept tree: ${error.message}`, {
    hint: "this file system cannot hold what the store's can: unpack without `keep`",
    details: error.details,
  });
}
