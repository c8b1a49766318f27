import { type ByteString, byteStringOf } from "../tar/byte-string.ts";

/** What a name means when it begins so (image-spec, layer.md, "Whiteouts"; AUFS's own names begin with it twice). */
export const whiteoutPrefix = ".wh.";
const reservedPrefix = ".wh..wh.";
const opaqueName = ".wh..wh..opq";

/** Where AUFS, and with it old Docker images, keeps the content of files that have several names. */
export const pseudoLinkDirectory = byteStringOf(".wh..wh.plnk");

/**
 * What a name makes of its entry, whatever the entry's type. `reserved` names are the layer's own, and mark nothing.
 */
export type NameMeaning = "root" | "plain" | "whiteout" | "opaque" | "reserved";

/** Tells what an entry is about by the names that its path consists of. */
export function meaningOf(names: readonly ByteString[]): NameMeaning {
  const name = names.at(-1);
  if (name === undefined) return "root";
  if (names.findIndex((each) => each.startsWith(whiteoutPrefix)) < 0) return "plain";
  if (names.slice(0, -1).some((parent) => parent.startsWith(whiteoutPrefix))) return "reserved";
  if (name === opaqueName) return "opaque";
  return name.startsWith(reservedPrefix) ? "reserved" : "whiteout";
}

/** The name that a whiteout hides; `undefined` where it names none. */
export function hiddenName(marker: ByteString): ByteString | undefined {
  const name = marker.slice(whiteoutPrefix.length) as ByteString;
  return name === "" || name === "." || name === ".." ? undefined : name;
}

/** The name under which a pseudo-link is kept, where a path is one's. */
export function pseudoLinkName([first, name, ...more]: readonly ByteString[]): ByteString | undefined {
  return first === pseudoLinkDirectory && more.length === 0 ? name : undefined;
}
