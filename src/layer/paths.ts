import type { Limits } from "../base/limits.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { checkedName } from "./entry-checks.ts";
import { entryLimitExceeded, type Findings, quoted, refusal } from "./findings.ts";
import { type PathLookup, walk } from "./walk.ts";

/** Reads the paths of entries: where they begin, what their dots mean, and which lead nowhere good. */
export class Paths<Directory extends { readonly parent: Directory | undefined }> {
  readonly #tree: PathLookup<Directory>;
  readonly #findings: Findings;
  readonly #limits: Limits;

  constructor(tree: PathLookup<Directory>, findings: Findings, limits: Limits) {
    this.#tree = tree;
    this.#findings = findings;
    this.#limits = limits;
  }

  /**
   * The names that a path consists of; none for the root. Slashes at both ends, empty names and `.` mean nothing.
   *
   * `..` takes back the name before it. Behind a symlink that would be another place than the one it leads to for the
   * kernel, so there it is refused, as it is where it leads out of the root.
   */
  namesOf(path: ByteString, entryPath: ByteString = path): readonly ByteString[] {
    const { pathBytes, pathDepth } = this.#limits;
    if (path.length > pathBytes)
      throw entryLimitExceeded(entryPath, `a path of ${path.length} bytes`, "pathBytes", pathBytes);
    const soFar = new NamesSoFar(this.#tree, entryPath);
    let hasDots = false;
    for (const name of path.split("/") as ByteString[]) {
      if (name === "" || name === ".") continue;
      if (name === "..") soFar.takeBack();
      else soFar.names.push(checkedName(name, entryPath));
      hasDots ||= name === "..";
      if (soFar.names.length > pathDepth) {
        throw entryLimitExceeded(entryPath, `more than ${pathDepth} names`, "pathDepth", pathDepth);
      }
    }
    if (hasDots) this.#findings.repaired("PATH_NORMALISED", "`..` takes back the name before it", entryPath);
    return soFar.names;
  }
}

/** The path of something in a directory, whose own path is empty where it is the root. */
export function pathIn(directory: ByteString, name: ByteString): ByteString {
  return directory === "" ? name : (`${directory}/${name}` as ByteString);
}

/** The names so far, and the directories that they lead to as far as anyone had to know. */
class NamesSoFar<Directory extends { readonly parent: Directory | undefined }> {
  readonly names: ByteString[] = [];
  readonly #tree: PathLookup<Directory>;
  readonly #path: ByteString;
  /** Where the first n names lead; nothing where that is no directory. */
  readonly #directories: (Directory | undefined)[];

  constructor(tree: PathLookup<Directory>, path: ByteString) {
    this.#tree = tree;
    this.#path = path;
    this.#directories = [tree.root];
  }

  takeBack(): void {
    const name = this.names.at(-1);
    if (name === undefined) throw refusal(this.#path, "a path that leads out of the root");
    const parent = this.#parent();
    if (parent !== undefined && this.#isSymlink(parent, name)) {
      throw refusal(this.#path, `\`..\` behind the symlink ${quoted(name)}`);
    }
    this.names.pop();
    this.#directories.length = Math.min(this.#directories.length, this.names.length + 1);
  }

  /** Where all names but the last lead. Each name is looked up once, however often `..` comes back to it. */
  #parent(): Directory | undefined {
    for (let length = this.#directories.length; length < this.names.length; length += 1) {
      const from = this.#directories[length - 1];
      const step = this.names.slice(length - 1, length);
      this.#directories[length] = from && walk(this.#tree, from, step, this.#path, () => undefined).directory;
    }
    return this.#directories[this.names.length - 1];
  }

  #isSymlink(parent: Directory, name: ByteString): boolean {
    if (this.#tree.directoryAt(parent, name) !== undefined) return false;
    return this.#tree.obstacleAt(parent, name, this.#path)?.linkPath !== undefined;
  }
}
