import { Buffer } from "node:buffer";
import type { Memory } from "../base/memory-budget.ts";
import type { DevicePolicy } from "../base/option-words.ts";
import { nobody } from "../layer/findings.ts";
import { hostIdOf } from "../layer/id-map.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { Rights } from "../linux/thread.ts";
import { ownerPolicy } from "../rootfs/context.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { DigestedBody, DigestibleHoles } from "../toc/digested-body.ts";
import { ContentDigests } from "../tree/content-digests.ts";
import { MergedTree } from "../tree/merged-tree.ts";
import { type MtreeOptions, mtreeLines } from "../tree/mtree.ts";
import type { EntrySink } from "../worker/apply-entries.ts";
import type { SharedOutlet } from "../worker/outlet.ts";
import { Outlet } from "../worker/outlet.ts";
import { tell } from "../worker/serve.ts";

/** What the applying thread is to do after an `ApplyJob` that said so: to describe what came of it (mtree(5)). */
export interface MtreeJob {
  readonly type: "mtree";
  readonly outlet: SharedOutlet;
}

/** Whoever makes files of the same entries tells what was found in them. */

/** Takes down, while entries become files, what will be there in the end. Their data pass by once. */
export class Recorder {
  readonly #tree: MergedTree;
  readonly #digests: ContentDigests;
  readonly #holes: DigestibleHoles;
  readonly #ownerOf: MtreeOptions["ownerOf"];

  constructor(settings: RootfsSettings, rights: Rights, memory: Memory) {
    const devices = devicesMade(settings, rights);
    this.#tree = new MergedTree({ ...settings, devices, strict: false }, nobody, { memory });
    this.#digests = new ContentDigests(memory);
    this.#holes = new DigestibleHoles(settings.limits);
    this.#ownerOf = ownersGiven(settings, rights);
  }

  /** Passes a layer's entries on to `next`, which reads their data, and takes them down. */
  recording(layer: number, next: EntrySink): EntrySink {
    const holes = this.#holes;
    let digested: DigestedBody | undefined;
    const merge = this.#tree.beginLayer(layer, () => this.#digests.add(digested?.digest()));
    return {
      apply(entry: Entry, body: ByteSource) {
        digested = new DigestedBody(entry, body, holes);
        next.apply(entry, digested);
        merge.apply(entry, digested);
      },
      end() {
        next.end();
        merge.end();
      },
    };
  }

  /** Hands the list of what was taken down to the main thread. */
  write({ outlet: shared }: MtreeJob): void {
    const outlet = new Outlet(shared, (bytes) => tell({ type: "bytes", bytes }));
    const options = { digests: this.#digests, ownerOf: this.#ownerOf };
    for (const line of mtreeLines(this.#tree.root, options)) outlet.write(Buffer.from(line));
    outlet.end();
  }
}

/** What becomes of devices: only root makes any. */
export function devicesMade({ devices, recordOwners }: RootfsSettings, { isRoot }: Rights): DevicePolicy {
  if (devices !== "create" || isRoot) return devices;
  return recordOwners ? "placeholder" : "skip";
}

/** Whose files become, where they do not belong to whoever unpacks. */
export function ownersGiven(settings: RootfsSettings, rights: Rights): MtreeOptions["ownerOf"] {
  const { owner, uidMap, gidMap } = ownerPolicy(settings);
  return (stated) => {
    const [uid, gid] = [hostIdOf(stated.uid, uidMap), hostIdOf(stated.gid, gidMap)];
    if (owner === "ignore" || uid === undefined || gid === undefined || !rights.mayGiveTo(uid, gid)) return undefined;
    return { uid, gid };
  };
}
