import type { SandboxPolicy } from "../base/option-words.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { confineThread } from "../linux/confinement.ts";
import { statAt } from "../linux/stat.ts";
import { closeDescriptor, openDirectoryBeneath, openDirectoryPath } from "../linux/syscalls.ts";
import { ownRights, type Rights } from "../linux/thread.ts";
import { failure } from "../rootfs/failure.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { nothing, type Selection } from "../tree/selection.ts";
import { Reporter } from "../worker/apply-entries.ts";
import { tell } from "../worker/serve.ts";
import { ImageTrees } from "./image-trees.ts";
import { NewRoot } from "./new-root.ts";
import { insistOnOwn } from "./own-directory.ts";
import { rootName, stagingName } from "./sync-names.ts";
import { SyncPlan } from "./sync-plan.ts";

const root = byteStringOf(rootName);
const staging = byteStringOf(stagingName);

/** With what the first job begins. */
export interface SyncBeginning {
  /** The absolute path of the directory that is synced, if it is there. */
  readonly directory: string | undefined;
  readonly sandbox: SandboxPolicy;
  readonly settings: RootfsSettings;
}

/** One sync on its thread: what its jobs leave to each other. */
export class Syncing {
  readonly settings: RootfsSettings;
  readonly trees: ImageTrees;
  readonly reporter: Reporter;
  readonly rights: Rights = ownRights();
  /** An open handle of the directory, and of the root filesystem in it. */
  readonly directory: number | undefined;
  old: number | undefined;
  keptPaths: readonly string[] = [];
  kept: Selection = nothing;
  plan: SyncPlan;
  root: NewRoot | undefined;
  target: number | undefined;
  /** How much was left out or repaired while files were made. */
  findings = 0;

  constructor(job: SyncBeginning) {
    this.settings = job.settings;
    this.reporter = new Reporter(tell);
    this.directory = job.directory === undefined ? undefined : openDirectoryPath(job.directory);
    const confinement = this.directory === undefined ? {} : { writableBeneath: this.directory };
    tell({ type: "confined", status: confineThread(job.sandbox, confinement) });
    this.trees = new ImageTrees(job.settings, this.reporter);
    this.plan = new SyncPlan(this.trees.memory, this.rights);
  }

  /** Opens the root filesystem, through no symlink and no mount point, if there is one. */
  openOld(): void {
    const { directory } = this;
    if (directory === undefined || typeof statAt(directory, root) === "number") return;
    const handle = openDirectoryBeneath(directory, root);
    if (handle < 0) throw failure("open", root, "openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS|RESOLVE_NO_XDEV)", handle);
    this.old = handle;
  }

  /** An open handle of the empty directory that was made for the new root. */
  openedTarget(): number {
    if (this.target !== undefined) return this.target;
    if (this.directory === undefined) throw new TypeError("there is no directory");
    const target = openDirectoryBeneath(this.directory, staging);
    if (target < 0) throw failure("open", staging, "openat2", target);
    insistOnOwn(target, this.rights);
    this.target = target;
    return target;
  }

  /** Closes all handles. The last thing to be done. */
  close(): void {
    for (const handle of [this.directory, this.old, this.target]) if (handle !== undefined) closeDescriptor(handle);
  }

  /** The new root, in that directory. */
  newRoot(): NewRoot {
    this.root ??= this.#begunRoot();
    return this.root;
  }

  #begunRoot(): NewRoot {
    const { old, trees, plan, kept, settings } = this;
    const reporter = {
      skipped: (...found: Parameters<Reporter["skipped"]>) => {
        this.findings += 1;
        this.reporter.skipped(...found);
      },
      warning: (...found: Parameters<Reporter["warning"]>) => {
        this.findings += 1;
        this.reporter.warning(...found);
      },
    };
    return new NewRoot({ target: this.openedTarget(), old, trees, plan, kept, settings, reporter });
  }
}
