import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { quoted, refusal } from "./findings.ts";

/**
 * Puts the entries of an archive that is one layer of an artifact at the path that the artifact gives it, and below.
 *
 * oras writes that path before each name in the archive, others do not: the first entry tells. Nothing gets anywhere
 * else: not by its name, and no link leads out, so that what comes later through one stays there, too.
 */
export class PlacedEntries {
  readonly #place: readonly ByteString[];
  /** Whether the paths in the archive begin with the place. */
  #areWhole: boolean | undefined;

  /** `place` is names joined by slashes. */
  constructor(place: ByteString) {
    this.#place = place.split("/") as ByteString[];
  }

  /** The entry with its path, and that of the file which a hard link names, from the root of the artifact's files. */
  placed(entry: Entry): Entry {
    const { type, path, linkPath } = entry;
    const names = this.#placedNames(path, path);
    const isPlace = names.length === this.#place.length;
    if (isPlace && type !== "directory" && type !== "file") {
      throw refusal(path, `a ${type} in the place of the artifact's own directory`);
    }
    if (type === "symlink") checkStays(entry, names.length - this.#place.length);
    const target = type === "hardlink" ? joined(this.#placedNames(linkPath, path)) : linkPath;
    return { ...entry, path: joined(names), linkPath: target };
  }

  #placedNames(written: ByteString, path: ByteString): readonly ByteString[] {
    const names = plainNames(written);
    if (names.includes(".." as ByteString)) throw refusal(path, "`..` in an archive of an artifact");
    const isBelow = this.#place.every((name, index) => names[index] === name);
    this.#areWhole ??= isBelow;
    if (!this.#areWhole) return [...this.#place, ...names];
    if (!isBelow) throw refusal(path, `it is not below ${quoted(joined(this.#place))}, as the entries before it are`);
    return names;
  }
}

function plainNames(path: ByteString): readonly ByteString[] {
  return (path.split("/") as ByteString[]).filter((name) => name !== "" && name !== ".");
}

function joined(names: readonly ByteString[]): ByteString {
  return names.join("/") as ByteString;
}

/**
 * Refuses a symlink that leads out of the place, which is `depth` names above it. A `..` behind another name is refused,
 * too: behind a symlink it would lead anywhere.
 */
function checkStays({ path, linkPath }: Entry, depth: number): void {
  const names = plainNames(linkPath);
  const firstName = names.findIndex((name) => name !== "..");
  const upwards = firstName < 0 ? names.length : firstName;
  const isLexical = !names.slice(upwards).includes(".." as ByteString);
  if (linkPath.startsWith("/") || upwards >= depth || !isLexical) {
    throw refusal(path, "a symlink that leads out of the directory that the artifact has there");
  }
}
