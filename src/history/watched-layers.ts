import { MemoryBudget } from "../base/memory-budget.ts";
import type { FindingsReporter } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { meaningOf } from "../layer/whiteouts.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { dataDigests } from "../toc/data-digests.ts";
import { DigestibleHoles } from "../toc/digested-body.ts";
import { ContentDigests, digestOf } from "../tree/content-digests.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import type { TreeFile } from "../tree/tree-file.ts";
import type { EntrySink } from "../worker/apply-entries.ts";
import { type Cause, LayerChanges } from "./layer-changes.ts";
import { PathHistory } from "./path-history.ts";

/** How many paths a layer adds, changes and removes. */
export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Layers that are merged, the lowest first, and what each of them changes. */
export class WatchedLayers {
  readonly #memory: MemoryBudget;
  readonly #tree: MergedTree;
  readonly #contents: FileContents;
  readonly #asked: PathHistory | undefined;
  #layer = 0;
  #changes: LayerChanges | undefined;

  /** With a path also what is done to that is taken down. */
  constructor(settings: RootfsSettings, reporter: FindingsReporter, path?: ByteString) {
    this.#memory = new MemoryBudget(settings.limits);
    this.#tree = new MergedTree({ ...settings, devices: "create" }, reporter, { memory: this.#memory });
    this.#contents = new FileContents(settings, this.#memory);
    this.#asked = path === undefined ? undefined : new PathHistory(path, this.#memory);
  }

  /** Begins a layer, whose entries have to be given to the sink. */
  begin(layer: number): EntrySink {
    const changes = new LayerChanges(this.#tree.root, this.#memory);
    const merge = this.#tree.beginLayer(layer, (entry, body) => this.#contents.keep(entry, body), changes);
    this.#layer = layer;
    this.#changes = changes;
    return {
      apply(entry, body) {
        changes.cause = causeOf(entry);
        merge.apply(entry, body);
      },
      end() {
        changes.cause = "entry";
        merge.end();
      },
    };
  }

  /** How much the layer changed, which has ended. */
  end(): ChangeCounts {
    const changes = this.#changes;
    if (changes === undefined) throw new TypeError("no layer has begun");
    let [added, changed, removed] = [0, 0, 0];
    for (const change of changes.changes(this.#contents.digestOf)) {
      this.#asked?.add(this.#layer, change);
      if (change.kind === "added") added += 1;
      else if (change.kind === "removed" || change.kind === "hidden") removed += 1;
      else if (change.parts.length > 0) changed += 1;
    }
    this.#asked?.addLinked(this.#layer, changes.linked);
    changes.release();
    this.#changes = undefined;
    return { added, changed, removed };
  }

  /** What was done to the path, after the last layer. */
  pathHistory(): ReturnType<PathHistory["end"]> {
    if (this.#asked === undefined) throw new TypeError("no path was asked for");
    return this.#asked.end(this.#tree.root);
  }
}

/** What makes things go while an entry is applied. */
function causeOf({ path }: Entry): Cause {
  if (!path.includes(".wh.")) return "entry";
  const meaning = meaningOf(path.split("/").filter((name) => name !== "" && name !== ".") as ByteString[]);
  return meaning === "whiteout" || meaning === "opaque" ? meaning : "entry";
}

/** The digests of the data of all files of all layers. */
class FileContents {
  readonly #digests: ContentDigests;
  readonly #holes: DigestibleHoles;

  constructor({ limits }: Pick<RootfsSettings, "limits">, memory: MemoryBudget) {
    this.#digests = new ContentDigests(memory);
    this.#holes = new DigestibleHoles(limits);
  }

  keep(entry: Entry, body: ByteSource): number {
    return this.#digests.addHex(dataDigests(entry, body, this.#holes).digest);
  }

  readonly digestOf = (file: TreeFile): string | undefined => digestOf(file, this.#digests);
}
