/** Tags of `struct posix_acl_xattr_entry` (linux/posix_acl_xattr.h): of the owner, and of a user or group by number. */
const tags = { user: [1, 2], group: [4, 8], mask: [0x10, 0x10], other: [0x20, 0x20] } as const;

type AclEntry = readonly [tag: keyof typeof tags, permission: number, id?: number];

/** An access-control list as Linux keeps it. Little-endian: version 2, then tag, permission and id of each entry. */
export function accessControlList(...entries: readonly AclEntry[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 + 8 * entries.length));
  view.setUint32(0, 2, true);
  for (const [index, [tag, permission, id]] of entries.entries()) {
    view.setUint16(4 + 8 * index, tags[tag][id === undefined ? 0 : 1], true);
    view.setUint16(6 + 8 * index, permission, true);
    view.setUint32(8 + 8 * index, id ?? 0xffffffff, true);
  }
  return new Uint8Array(view.buffer);
}
