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

  /** Changes the owner of what was just made, unless the kernel gave it that one already (0 is an owner like any other). */
  give(path: ByteString, { uid, gid }: Owner, chown: (uid: number, gid: number) => Result): void {
    if (!this.arePreserved || (uid === this.#newFiles.uid && gid === this.#newFiles.gid)) return;
    const result = chown(uid, gid);
    if (result >= 0) return;
    // Without the privilege, or in a user namespace that has no such user.
    if (result !== -errnos.EPERM && result !== -errnos.EINVAL) throw failure("give away", path, "chown", result);
    this.#findings.lost(path, "owner", `this user may not give it to ${uid}:${gid}`);
  }
}
