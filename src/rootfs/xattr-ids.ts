import { hostIdOf, inverted } from "../layer/id-map.ts";
import type { IdMapping } from "../layer/settings.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";

/** What the image's users and groups are on this machine; absent: themselves. */
export interface IdMaps {
  readonly uidMap?: readonly IdMapping[] | undefined;
  readonly gidMap?: readonly IdMapping[] | undefined;
}

/** An extended attribute's value with other ids in it. */
export interface MappedValue {
  /** Nothing where nothing of it can be kept. */
  readonly value: Uint8Array | undefined;
  /** Why it is not whole, in words. */
  readonly problem?: string;
}

const acls = ["system.posix_acl_access", "system.posix_acl_default"].map(byteStringOf);
const capability = byteStringOf("security.capability");

/**
 * The ids inside of extended attributes: of the users and groups in access-control lists, and of the root for whom a
 * file's capabilities are.
 *
 * Who is not in the maps is nobody in the container, but may be somebody on this machine. So an entry of a list that is
 * for such a user is left out, which takes nothing from anybody inside; capabilities are left out as a whole.
 */
export class XattrIds {
  readonly #maps: IdMaps;
  readonly #inverted: IdMaps;

  constructor(maps: IdMaps) {
    this.#maps = maps;
    this.#inverted = { uidMap: inverted(maps.uidMap), gidMap: inverted(maps.gidMap) };
  }

  /** What an attribute that an image states is to be on this machine. */
  onThisMachine(name: ByteString, stated: Uint8Array): MappedValue {
    return mapped(name, stated, this.#maps);
  }

  /** What an image would state of an attribute that is there. */
  statedFor(name: ByteString, present: Uint8Array): Uint8Array | undefined {
    return mapped(name, present, this.#inverted).value;
  }
}

function mapped(name: ByteString, value: Uint8Array, maps: IdMaps): MappedValue {
  if (name === capability) return mappedCapability(value, maps);
  const areMapped = maps.uidMap !== undefined || maps.gidMap !== undefined;
  return areMapped && acls.includes(name) ? mappedAcl(value, maps) : { value };
}

/** An access-control list is laid out as `tar/xattr.ts` draws it. These are its tags for a user and a group by number. */
const namedUser = 0x02;
const namedGroup = 0x08;
const aclVersion = 2;
const aclHeaderBytes = 4;
const aclEntryBytes = 8;

function mappedAcl(value: Uint8Array, maps: IdMaps): MappedValue {
  const result = Uint8Array.from(value);
  const view = new DataView(result.buffer);
  const isAcl = value.length >= aclHeaderBytes && (value.length - aclHeaderBytes) % aclEntryBytes === 0;
  if (!isAcl || view.getUint32(0, true) !== aclVersion)
    return { value: undefined, problem: "it is no access-control list" };
  let end = aclHeaderBytes;
  let problem: string | undefined;
  for (let at = aclHeaderBytes; at < value.length; at += aclEntryBytes) {
    const tag = view.getUint16(at, true);
    const stated = view.getUint32(at + 4, true);
    const isUser = tag === namedUser;
    const id = isUser || tag === namedGroup ? hostIdOf(stated, isUser ? maps.uidMap : maps.gidMap) : stated;
    if (id === undefined) {
      problem ??= `the maps have no ${isUser ? "user" : "group"} ${stated}`;
      continue;
    }
    result.copyWithin(end, at, at + aclEntryBytes);
    view.setUint32(end + 4, id, true);
    end += aclEntryBytes;
  }
  return { value: result.subarray(0, end), ...(problem !== undefined && { problem }) };
}

/*
 * struct vfs_ns_cap_data (linux/capability.h), little-endian:
 *
 *     0         3         4                           20
 *     flags     revision  permitted and inheritable   root
 *
 * Revision 2 ends before the root: it is for the machine's own, and for that of every container.
 */
const revisionAt = 3;
const rootAt = 20;
const bytesOfRevision: Readonly<Record<number, number>> = { 2: rootAt, 3: rootAt + 4 };

/** Whatever else there is, the kernel refuses. It has no root 0 in revision 3, and gives revision 2 back. */
function mappedCapability(value: Uint8Array, { uidMap }: IdMaps): MappedValue {
  const revision = value[revisionAt] ?? 0;
  if (bytesOfRevision[revision] !== value.length) return { value };
  const stated = revision === 3 ? new DataView(value.buffer, value.byteOffset).getUint32(rootAt, true) : 0;
  const root = hostIdOf(stated, uidMap);
  if (root === undefined) return { value: undefined, problem: `the maps have no user ${stated}` };
  const result = Uint8Array.from([...value.subarray(0, rootAt), ...(root === 0 ? [] : [0, 0, 0, 0])]);
  result[revisionAt] = root === 0 ? 2 : 3;
  if (root !== 0) new DataView(result.buffer).setUint32(rootAt, root, true);
  return { value: result };
}
