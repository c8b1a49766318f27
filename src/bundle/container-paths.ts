import { OciUnpackError } from "../base/errors.ts";
import { FollowedLinks } from "../layer/counted-limits.ts";
import { quoted } from "../layer/findings.ts";
import { type Obstacle, type PathLookup, walk } from "../layer/walk.ts";
import { errnos, SystemError } from "../linux/errno.ts";
import { closeDescriptor, findDirectoryBeneath, openDirectoryPath, readSymlinkAt } from "../linux/syscalls.ts";
import { type ByteString, byteStringOf } from "../tar/byte-string.ts";

/** Directories over which a runtime mounts its own, so that nothing that the image has there is seen. */
const mounted = ["proc", "sys", "dev"];

/** Symlinks into /proc that the runtime makes in /dev. */
const linksIntoProc = ["dev/fd", "dev/stdin", "dev/stdout", "dev/stderr", "dev/core"];

/** The longest path that Linux takes, with its NUL (PATH_MAX). */
const longestPath = 4096;

/** Far more names than all paths of a configuration have. Each costs a system call. */
const mostLooks = 10_000;

/** A directory of the container. It need not exist yet. */
interface ContainerDirectory {
  readonly parent: ContainerDirectory | undefined;
  /** From the root, without a slash at its beginning. */
  readonly path: ByteString;
}

/**
 * Resolves paths of an image's configuration in a container of that image, through the symlinks of its root filesystem,
 * which is not trusted.
 */
export class ContainerPaths implements Disposable {
  readonly #lookup: RootLookup;
  readonly #directory: number;

  /**
   * Throws `INVALID_CONFIG` if /proc, /sys or /dev is a symlink, because runtimes would mount their own where it leads.
   */
  constructor(rootfs: string) {
    this.#directory = openDirectoryPath(rootfs);
    this.#lookup = new RootLookup(this.#directory);
    const moved = mounted.find((name) => this.#lookup.linkAt(this.#lookup.root, byteStringOf(name)) !== undefined);
    if (moved === undefined) return;
    this[Symbol.dispose]();
    const found = "it is a symbolic link, and runtimes mount their own files there";
    throw new OciUnpackError("INVALID_CONFIG", `cannot make a bundle of the image's "/${moved}": ${found}`);
  }

  /**
   * Whether a path leads into the container's /proc. A process finds there what its runtime has open, maybe a directory
   * of the host (CVE-2024-21626).
   */
  isInProc(path: string): boolean {
    const resolved = this.#resolved(path);
    return ["proc", ...linksIntoProc].some((one) => isWithin(resolved, one));
  }

  /** Whether a path leads into the container's /sys. */
  isInSys(path: string): boolean {
    return isWithin(this.#resolved(path), "sys");
  }

  [Symbol.dispose](): void {
    closeDescriptor(this.#directory);
  }

  #resolved(path: string): ByteString {
    const bytes = byteStringOf(path);
    if (bytes.length > longestPath || bytes.includes("\0")) {
      const found = bytes.length > longestPath ? `it has ${bytes.length} bytes` : "it has a NUL";
      throw new OciUnpackError("INVALID_CONFIG", `cannot use the path ${quoted(bytes)} in the image: ${found}`);
    }
    const names = bytes.split("/").filter((name) => name !== "" && name !== ".");
    const lookup = this.#lookup;
    return (
      walk(lookup, lookup.root, names as ByteString[], bytes, (parent, name) => childOf(parent, name)).directory
        ?.path ?? bytes
    );
  }
}

/**
 * The directory that the process starts in. A relative path counts from the root; an empty one is the root.
 *
 * A path that leads into /proc or /sys, by itself or through symlinks of the image, is refused: a process could reach
 * directories of the host there that its runtime forgot to close (CVE-2024-21626).
 */
export function workingDirectoryOf(written: string, paths: ContainerPaths): string {
  const path = written.startsWith("/") ? written : `/${written}`;
  if (!paths.isInProc(path) && !paths.isInSys(path)) return path;
  const found = "it leads into /proc or /sys, where a runtime's own files are";
  throw new OciUnpackError("INVALID_CONFIG", `cannot start in the image's directory "${written}": ${found}`);
}

/** The root filesystem for `walk`: every name counts as a directory unless it is a symlink. */
class RootLookup implements PathLookup<ContainerDirectory> {
  readonly root: ContainerDirectory = { parent: undefined, path: byteStringOf("") };
  readonly followed = new FollowedLinks();
  readonly #directory: number;
  #looks = 0;

  constructor(directory: number) {
    this.#directory = directory;
  }

  directoryAt(parent: ContainerDirectory, name: ByteString): ContainerDirectory | undefined {
    return this.linkAt(parent, name) === undefined ? childOf(parent, name) : undefined;
  }

  obstacleAt(parent: ContainerDirectory, name: ByteString): Obstacle | undefined {
    const linkPath = this.linkAt(parent, name);
    return linkPath === undefined ? undefined : { linkPath };
  }

  /** The target of the symlink at a name; `undefined` if there is none, or none that a container would see. */
  linkAt(parent: ContainerDirectory, name: ByteString): ByteString | undefined {
    if (mounted.some((one) => isWithin(parent.path, one))) return undefined;
    this.#looks += 1;
    if (this.#looks > mostLooks) {
      const found = `its working directory and its volumes lead through more than ${mostLooks} names`;
      throw new OciUnpackError("INVALID_CONFIG", `cannot make a bundle of the image: ${found}`);
    }
    const isRoot = parent.path === "";
    const directory = isRoot ? this.#directory : findDirectoryBeneath(this.#directory, parent.path);
    if (directory === -errnos.ENOENT || directory === -errnos.ENOTDIR) return undefined;
    if (directory < 0) throw new SystemError(`look for ${quoted(parent.path)} in the image`, "openat2", -directory);
    try {
      const target = readSymlinkAt(directory, name);
      return typeof target === "number" ? undefined : target;
    } finally {
      if (!isRoot) closeDescriptor(directory);
    }
  }
}

function childOf(parent: ContainerDirectory, name: ByteString): ContainerDirectory {
  return { parent, path: (parent.path === "" ? name : `${parent.path}/${name}`) as ByteString };
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
