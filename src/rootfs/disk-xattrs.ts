import type { Findings } from "../layer/findings.ts";
import type { XattrRules } from "../layer/xattr-rules.ts";
import { errnos } from "../linux/errno.ts";
import type { Result } from "../linux/libc.ts";
import { listXattrs, listXattrsAt, readXattrAt, removeXattr } from "../linux/xattrs.ts";
import { type ByteString, byteStringOf, textOf } from "../tar/byte-string.ts";
import { failure } from "./failure.ts";
import type { XattrIds } from "./xattr-ids.ts";

export type XattrValues = ReadonlyMap<ByteString, Uint8Array>;

const capability = byteStringOf("security.capability");

/** What the kernel answers where the file system, or this kind of file, has no place for an attribute. */
const unsupported = [errnos.ENOTSUP, errnos.E2BIG, errnos.ENOSPC, errnos.ERANGE, errnos.EINVAL, errnos.ENOENT];
const denied = [errnos.EPERM, errnos.EACCES];

/** Under which names attributes are stored, where those that an image states would act. */
export interface StoredNames {
  /** How an attribute of that name is stored. */
  stored(name: ByteString): ByteString;
  /** Which attribute is stored so; nothing for what is no attribute of the image's. */
  stated(stored: ByteString): ByteString | undefined;
}

const asTheyAre: StoredNames = { stored: (name) => name, stated: (stored) => stored };

/** Sets extended attributes as far as the filter table, the file system and the kernel allow, and tells of the rest. */
export class DiskXattrs {
  readonly #rules: XattrRules;
  readonly #findings: Findings;
  readonly #ids: XattrIds;
  readonly #names: StoredNames;

  constructor(rules: XattrRules, findings: Findings, ids: XattrIds, names: StoredNames = asTheyAre) {
    this.#rules = rules;
    this.#findings = findings;
    this.#ids = ids;
    this.#names = names;
  }

  /** Sets them one by one, file capabilities last: a change of owner or content would take those away. */
  set(path: ByteString, values: XattrValues, setXattr: (name: ByteString, value: Uint8Array) => Result): void {
    for (const [name, value] of values) {
      if (name !== capability) this.#setOne(path, name, value, (own) => setXattr(this.#names.stored(name), own));
    }
    const capabilities = values.get(capability);
    if (capabilities !== undefined) this.#setOne(path, capability, capabilities, (own) => setXattr(capability, own));
  }

  /** Removes from a directory what a lower layer's entry gave it. */
  clear(directory: number, path: ByteString): void {
    const names = listXattrs(directory);
    if (typeof names === "number") throw failure("examine", path, "flistxattr", names);
    for (const stored of names) if (this.#statedName(stored) !== undefined) removeXattr(directory, stored);
  }

  /** What an image would state of what a file has, without what is not ours to copy. */
  readAt(directory: number, name: ByteString): XattrValues {
    const values = new Map<ByteString, Uint8Array>();
    const names = listXattrsAt(directory, name);
    for (const stored of typeof names === "number" ? [] : names) {
      const xattr = this.#statedName(stored);
      const present = xattr === undefined ? -1 : readXattrAt(directory, name, stored);
      if (xattr === undefined || typeof present === "number") continue;
      const value = this.#ids.statedFor(xattr, present);
      if (value !== undefined) values.set(xattr, value);
    }
    return values;
  }

  /** The name of an attribute that an image may have given; nothing for what came from elsewhere. */
  #statedName(stored: ByteString): ByteString | undefined {
    const name = this.#names.stated(stored);
    return name !== undefined && this.#rules.isOfImage(name) ? name : undefined;
  }

  #setOne(path: ByteString, name: ByteString, stated: Uint8Array, setXattr: (value: Uint8Array) => Result): void {
    if (this.#rules.isKept(path, name)) this.#setMapped(path, name, stated, setXattr);
  }

  /** Sets it with the ids that it is to have on this machine. */
  #setMapped(path: ByteString, name: ByteString, stated: Uint8Array, setXattr: (value: Uint8Array) => Result): void {
    const { value, problem } = this.#ids.onThisMachine(name, stated);
    if (problem !== undefined) {
      const what = value === undefined ? textOf(name) : `an entry of ${textOf(name)}`;
      this.#findings.repaired("XATTR_NOT_APPLIED", `${what} is left out: ${problem}`, path);
      this.#findings.skipped(path, "xattr-unmapped", textOf(name));
    }
    if (value !== undefined) this.#judge(path, name, setXattr(value));
  }

  #judge(path: ByteString, name: ByteString, result: Result): void {
    if (result >= 0) return;
    if (unsupported.includes(-result))
      this.#rules.lose(path, "xattr-unsupported", name, "the file system cannot store it");
    else if (denied.includes(-result)) this.#rules.lose(path, "xattr-denied", name, "this user may not set it");
    else throw failure(`set ${textOf(name)} of`, path, "setxattr", result);
  }
}
