import type { SandboxPolicy } from "../base/option-words.ts";
import { XattrFilter } from "../layer/xattr-rules.ts";
import { confineThread } from "../linux/confinement.ts";
import { closeDescriptor, openDirectoryPath } from "../linux/syscalls.ts";
import { ownUmask } from "../linux/thread.ts";
import { type FileSystemTraits, prepareRoot } from "../rootfs/file-system-probe.ts";
import type { LineExtent, ListLayout, TreeReport, XattrLists } from "../store/kept-trees.ts";
import { tell } from "../worker/serve.ts";
import { CloneControl, type SharedControl } from "./clone-control.ts";
import { KeptPlaces, openTree, tellingOfChanges } from "./kept-places.ts";
import { KeptFiles } from "./kept-source.ts";
import { walkPart } from "./kept-walk.ts";
import { completeDirectory, makeLink } from "./later-work.ts";
import { readLine } from "./list-reader.ts";
import { NewFiles, type Transfer } from "./new-files.ts";
import { PartMaker } from "./part-maker.ts";
import type { DirectoriesLine, LinksLine, Part } from "./tree-list.ts";

/** What each step of cloning a kept tree needs to know. */
interface CloneStep {
  /** Absolute path of the kept tree's directory, with `rootfs` and `entries` in it. */
  readonly tree: string;
  /** Absolute path of the private directory that becomes the clone. */
  readonly staging: string;
  readonly xattrs: XattrLists;
  readonly transfer: Transfer;
  readonly sandbox: SandboxPolicy;
}

/** The first step: an empty directory is prepared. Tells a `PreparedReport`. */
export interface PrepareCloneJob extends CloneStep {
  readonly type: "prepare-clone";
}

/** The second step, which several threads do side by side: files are made, and most directories. */
export interface CloneJob extends CloneStep, Pick<ListLayout, "parts"> {
  readonly type: "clone";
  readonly fileSystem: FileSystemTraits;
  readonly control: SharedControl;
  /** Whether this thread's confinement is told. */
  readonly isTold: boolean;
}

/** The last step: further names of files, and the attributes of directories that were waiting for them. */
export interface CompleteCloneJob extends CloneStep, Pick<ListLayout, "links" | "directories"> {
  readonly type: "complete-clone";
  readonly fileSystem: FileSystemTraits;
  readonly control: SharedControl;
}

export interface PreparedReport {
  readonly type: "prepared";
  readonly fileSystem: FileSystemTraits;
}

export type CloneReport = PreparedReport | TreeReport;

export function prepareClone(job: PrepareCloneJob): void {
  tellingOfChanges(() => {
    using places = new Places(job, true);
    tell<CloneReport>({ type: "prepared", fileSystem: prepareRoot(places.target) });
  });
}

export function cloneParts(job: CloneJob): void {
  const control = new CloneControl(job.control);
  const keptFiles = new KeptFiles(new XattrFilter(job.xattrs));
  const files = new NewFiles({ ...job, kept: keptFiles, goOn: control.goOn });
  const clonePart = ({ target, kept }: Places, extent: LineExtent) => {
    using maker = new PartMaker(target, files);
    walkPart(kept.rootfs, readLine<Part>(kept.list, extent), keptFiles, maker);
  };
  tellingOfChanges(() => {
    using places = new Places(job, job.isTold);
    ownUmask();
    const next = () => job.parts[control.next()];
    for (let extent = next(); extent !== undefined; extent = next()) clonePart(places, extent);
  });
}

export function completeClone(job: CompleteCloneJob): void {
  const { goOn } = new CloneControl(job.control);
  const files = new NewFiles({ ...job, kept: new KeptFiles(new XattrFilter(job.xattrs)), goOn });
  tellingOfChanges(() => {
    using places = new Places(job, false);
    ownUmask();
    for (const extent of job.links) {
      goOn();
      for (const link of readLine<LinksLine>(places.kept.list, extent).links) makeLink(places.target, link);
    }
    for (const extent of job.directories) {
      goOn();
      const { directories } = readLine<DirectoriesLine>(places.kept.list, extent);
      for (const directory of directories) completeDirectory(places.target, directory, files);
    }
  });
}

/** The kept tree and the clone, open; the thread can reach nothing else from then on. */
class Places implements Disposable {
  readonly target: number;
  readonly kept: KeptPlaces;

  constructor({ tree, staging, transfer, sandbox }: CloneStep, isTold: boolean) {
    const directory = openTree(tree);
    this.target = openDirectoryPath(staging);
    try {
      const status = confineThread(sandbox, {
        writableBeneath: this.target,
        ...(transfer === "hardlink" ? { linkableBeneath: [directory] } : { readableBeneath: [directory] }),
      });
      if (isTold) tell({ type: "confined", status });
      this.kept = new KeptPlaces(directory);
    } finally {
      closeDescriptor(directory);
    }
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.target);
    this.kept[Symbol.dispose]();
  }
}
