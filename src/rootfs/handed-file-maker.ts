import type { SkipReason, WarningCode } from "../base/events.ts";
import { Findings } from "../layer/findings.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { closeDescriptor, findDirectoryBeneath, openAt, unlinkAt } from "../linux/syscalls.ts";
import { ownUmask } from "../linux/thread.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { attributeParts } from "./context.ts";
import { failure } from "./failure.ts";
import { newFile } from "./file-maker.ts";
import type { FileSystemTraits } from "./file-system-probe.ts";
import type { HandedFinding } from "./handed-files.ts";
import type { Metadata } from "./metadata.ts";
import { writeContent } from "./write-content.ts";

const self = byteStringOf(".");

/**
 * Makes the files that the thread which makes names hands on: each with its data, owner, mode and times.
 *
 * Their directories are found by their paths beneath the root, through no symlink and across no mount point; handles
 * are this maker's own. At most three are open at a time.
 */
export class HandedFileMaker implements Disposable {
  readonly #root: number;
  readonly #metadata: Metadata;
  /** The handle of the directory that files are made in. */
  #directory = -1;
  /** Is closed where the process may open no more, so that a file can be. */
  #spare: number;
  #findings: HandedFinding[] = [];

  /** `root` is an open handle of the root, the caller's to close. */
  constructor(root: number, settings: RootfsSettings, fileSystem: FileSystemTraits) {
    const findings = new Findings(
      {
        skipped: (_path, reason: SkipReason, detail) => this.#findings.push({ type: "skipped", reason, detail }),
        warning: (code: WarningCode, message) => this.#findings.push({ type: "warning", code, message }),
      },
      settings.strict,
    );
    const keepsModes = ownUmask() && fileSystem.keepsModes;
    this.#root = root;
    this.#metadata = attributeParts(settings, { ...fileSystem, keepsModes }, findings).metadata;
    this.#spare = findDirectoryBeneath(root, self);
  }

  /** Goes to the directory at a path of the root filesystem; the root's is empty. */
  enter(path: ByteString): void {
    if (this.#directory >= 0) closeDescriptor(this.#directory);
    this.#directory = -1;
    const result = this.#opened(() => findDirectoryBeneath(this.#root, path === "" ? self : path));
    if (result < 0) throw failure("open", path, "openat2(RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS)", result);
    this.#directory = result;
  }

  /** Makes a file in that directory. */
  make(name: ByteString, entry: Entry, body: ByteSource): void {
    const file = this.#opened(() => this.#create(name, this.#metadata.newMode(entry)));
    if (file < 0) throw failure("create", entry.path, "openat(O_CREAT|O_EXCL)", file);
    try {
      if (entry.sizeBytes > 0) writeContent(file, entry, body);
      this.#metadata.completeFile(file, entry);
    } finally {
      closeDescriptor(file);
      if (this.#spare < 0) this.#spare = findDirectoryBeneath(this.#root, self);
    }
  }

  /** What was found since this was last asked. */
  takeFindings(): readonly HandedFinding[] {
    const findings = this.#findings;
    if (findings.length > 0) this.#findings = [];
    return findings;
  }

  [Symbol.dispose](): void {
    for (const handle of [this.#directory, this.#spare]) if (handle >= 0) closeDescriptor(handle);
  }

  /** Nothing was there when the file was handed on: what is there now, somebody else has put there meanwhile. */
  #create(name: ByteString, mode: number): Result {
    const result = openAt(this.#directory, name, newFile, mode);
    if (result !== -errnos.EEXIST) return result;
    unlinkAt(this.#directory, name);
    return openAt(this.#directory, name, newFile, mode);
  }

  #opened(open: () => Result): Result {
    const result = open();
    if (result !== -errnos.EMFILE || this.#spare < 0) return result;
    closeDescriptor(this.#spare);
    this.#spare = -1;
    return open();
  }
}
