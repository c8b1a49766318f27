/**
 * What Linux keeps in `system.posix_acl_access` and `system.posix_acl_default`, little-endian:
 *
 *     0        4    6           8
 *     version  tag  permission  id  …   one tag, permission and id for each entry, in the order of the tags
 */
const VERSION = 2;
const NOBODY = 0xffffffff;

interface AclEntry {
  readonly tag: number;
  readonly permission: number;
  readonly id: number;
}

/**
 * The binary form of an access-control list that is written out as text (`SCHILY.acl.access`, `SCHILY.acl.default`).
 *
 * `undefined` for what cannot be said in it: a syntax error, or a user or group of whom the text has only the name. Names
 * mean nothing on this machine, and the image's own are not known yet.
 */
export function posixAcl(text: string): Uint8Array | undefined {
  const lines = text.split(/[,\n]/).map(withoutRemark);
  const entries = lines.filter((line) => line !== "").map(parseEntry);
  return entries.length > 0 && entries.every((entry) => entry !== undefined) ? encoded(entries) : undefined;
}

function withoutRemark(line: string): string {
  const remark = line.indexOf("#");
  return (remark < 0 ? line : line.slice(0, remark)).trim();
}

/** `user:name:rwx:1001`, `user:1001:rwx`, `user::rwx`, `mask::r-x`, `other:r--`; a default list may say `default:` first. */
function parseEntry(line: string): AclEntry | undefined {
  const [kind = "", ...rest] = line.replace(/^d(efault)?:/, "").split(":");
  const [qualifier = "", permissions = "", number] = rest.length === 1 ? ["", ...rest] : rest;
  const tags = Object.hasOwn(tagsOfKinds, kind) ? tagsOfKinds[kind] : undefined;
  const permission = parsePermissions(permissions);
  if (tags === undefined || permission === undefined) return undefined;
  if (qualifier === "") return { tag: tags.owning, permission, id: NOBODY };
  const id = parseId(number ?? qualifier);
  return tags.named === undefined || id === undefined ? undefined : { tag: tags.named, permission, id };
}

const user = { owning: 0x01, named: 0x02 };
const group = { owning: 0x04, named: 0x08 };
const mask = { owning: 0x10 };
const other = { owning: 0x20 };
const tagsOfKinds: Readonly<Record<string, { readonly owning: number; readonly named?: number }>> = {
  user,
  u: user,
  group,
  g: group,
  mask,
  m: mask,
  other,
  o: other,
};

function parsePermissions(text: string): number | undefined {
  const [, read, write, execute] = /^([r-])([w-])([x-])$/.exec(text) ?? [];
  if (read === undefined) return undefined;
  return (read === "r" ? 4 : 0) + (write === "w" ? 2 : 0) + (execute === "x" ? 1 : 0);
}

function parseId(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : NOBODY;
  return id < NOBODY ? id : undefined;
}

function encoded(entries: readonly AclEntry[]): Uint8Array {
  const inOrder = entries.toSorted((one, another) => one.tag - another.tag || one.id - another.id);
  const bytes = new Uint8Array(4 + 8 * inOrder.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, VERSION, true);
  for (const [index, { tag, permission, id }] of inOrder.entries()) {
    view.setUint16(4 + 8 * index, tag, true);
    view.setUint16(6 + 8 * index, permission, true);
    view.setUint32(8 + 8 * index, id, true);
  }
  return bytes;
}
