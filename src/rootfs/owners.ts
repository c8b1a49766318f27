import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Findings } from "./findings.ts";
import { failure } from "./refusal.ts";
import type { Surroundings } from "./surroundings.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Gives files to the owners that the image states, or to nobody but who unpacks. */
export class Owners {
  /** Whether stated owners count. */
  readonly arePreserved: boolean;
  readonly #newFiles: Owner;
  readonly #findings: Findings;

  constructor(policy: "preserve" | "ignore", surroundings: Surroundings, findings: Findings) {
    this.arePreserved = policy === "preserve";
    this.#newFiles = surroundings;
    this.#findings = findings;
  }

  /**
   * Changes the owner of a file, unless it has that one already: 0 is an owner like any other. What was made here has
   * the owner that the kernel gives to new files.
   */
  give(
    path: ByteString,
    { uid, gid }: Owner,
    chown: (uid: number, gid: number) => Result,
    present: Owner = this.#newFiles,
  ): void {
    if (!this.arePreserved || (uid === present.uid && gid === present.gid)) return;
    const result = chown(uid, gid);
    if (result >= 0) return;
    // Without the privilege, or in a user namespace that has no such user.
    if (result !== -errnos.EPERM && result !== -errnos.EINVAL) throw failure("give away", path, "chown", result);
    this.#findings.lost(path, "owner", `this user may not give it to ${uid}:${gid}`);
  }
}
