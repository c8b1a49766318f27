import { Buffer } from "node:buffer";
import { invalidArchive } from "./block-reader.ts";
import { type ByteString, byteString, byteStringOf } from "./byte-string.ts";
import type { Timestamp } from "./entry.ts";
import { decimal, paxTime, signedDecimal } from "./numbers.ts";
import { eachPaxRecord } from "./pax-records.ts";
import { SparseRecords } from "./sparse-map.ts";
import { xattrOf } from "./xattr.ts";

/**
 * What a pax extended header says about the entry that follows it (POSIX pax, "Extended Header").
 *
 * The last record of a keyword counts. With an empty one the entry's own header counts. Keywords that have no meaning
 * in a layer are ignored, for example user names.
 */
export class PaxHeader {
  path: ByteString | undefined;
  linkPath: ByteString | undefined;
  sizeBytes: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
  /** The seconds of both times may be infinite. */
  mtime: Timestamp | undefined;
  atime: Timestamp | undefined;
  sparse: SparseRecords | undefined;
  xattrs: Map<ByteString, Uint8Array> | undefined;
  /** Access-control lists as text, by the names of the extended attributes that they stand for. */
  acls: Map<ByteString, string> | undefined;
  /** The first keyword that was not ignored, if there is one. */
  meaningful: string | undefined;
  readonly #offset: number;

  /** Decodes the text of a header that begins at `offset`. */
  constructor(text: Buffer, offset: number) {
    this.#offset = offset;
    eachPaxRecord(text, offset, (keyword, value) => {
      if (this.#accept(keyword, value)) this.meaningful ??= keyword;
    });
  }

  #accept(keyword: string, value: Uint8Array): boolean {
    switch (keyword) {
      case "path":
        this.path = this.#name(keyword, value);
        return true;
      case "linkpath":
        this.linkPath = this.#name(keyword, value);
        return true;
      case "size":
        this.sizeBytes = this.#number(keyword, value, decimal);
        return true;
      case "uid":
        this.uid = this.#number(keyword, value, signedDecimal);
        return true;
      case "gid":
        this.gid = this.#number(keyword, value, signedDecimal);
        return true;
      case "mtime":
        this.mtime = this.#time(keyword, value);
        return true;
      case "atime":
        this.atime = this.#time(keyword, value);
        return true;
      case "SCHILY.acl.access":
        return this.#acceptAcl("system.posix_acl_access", value);
      case "SCHILY.acl.default":
        return this.#acceptAcl("system.posix_acl_default", value);
      default:
        return keyword.startsWith("GNU.sparse.")
          ? this.#acceptSparse(keyword, value)
          : this.#acceptXattr(keyword, value);
    }
  }

  #acceptSparse(keyword: string, value: Uint8Array): boolean {
    this.sparse ??= new SparseRecords();
    if (!this.sparse.accept(keyword, value)) throw this.#malformed(keyword, value);
    return true;
  }

  #acceptAcl(name: string, value: Uint8Array): boolean {
    this.acls ??= new Map();
    this.acls.set(byteStringOf(name), byteString(value));
    return true;
  }

  #acceptXattr(keyword: string, value: Uint8Array): boolean {
    const xattr = xattrOf(keyword, value);
    if (xattr === "malformed") throw this.#malformed(keyword, value);
    if (xattr === undefined) return false;
    this.xattrs ??= new Map();
    this.xattrs.set(xattr.name, xattr.value);
    return true;
  }

  #name(keyword: string, value: Uint8Array): ByteString | undefined {
    if (value.includes(0)) throw invalidArchive("decode the pax header", this.#offset, `its ${keyword} holds a NUL`);
    return value.length === 0 ? undefined : byteString(value);
  }

  #number(keyword: string, value: Uint8Array, parse: typeof decimal): number | undefined {
    if (value.length === 0) return undefined;
    const number = parse(value, 0, value.length);
    if (!Number.isSafeInteger(number)) throw this.#malformed(keyword, value);
    return number;
  }

  #time(keyword: string, value: Uint8Array): Timestamp | undefined {
    if (value.length === 0) return undefined;
    const time = paxTime(value);
    if (Number.isNaN(time.seconds)) throw this.#malformed(keyword, value);
    return time;
  }

  #malformed(keyword: string, value: Uint8Array) {
    const found = JSON.stringify(Buffer.from(value.subarray(0, 80)).toString());
    return invalidArchive("decode the pax header", this.#offset, `its ${keyword} is ${found}`);
  }
}
