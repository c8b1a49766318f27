import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { unpack } from "../../src/index.ts";
import type { Listing } from "../model/listing.ts";
import { readTree } from "../rules/real-tree.ts";

/** What is to be unpacked: an image in a layout and in a registry, and the archives that its layers are. */
export interface Subject {
  /** `oci:DIRECTORY:TAG`'s directory; its tag is `latest`. */
  readonly layout: string;
  readonly archives: readonly Uint8Array[];
  /** What the image is called in a registry on loopback. */
  readonly reference: string;
  /** An empty directory. */
  readonly work: string;
}

/** What came of it. A mounted tree may list names that it does not have: then it is "unreadable". */
export type Attempt = Listing | "refused" | "unreadable" | "not asked";

/** A tool that unpacks layers. */
export interface Contender {
  readonly name: string;
  version(): string;
  unpack(subject: Subject): Promise<Attempt> | Attempt;
}

export const contenders: readonly Contender[] = [
  {
    name: "oci-unpack",
    version: () => "this one",
    async unpack({ reference, work }) {
      try {
        const { rootfs } = await unpack(reference, `${work}/target`, { platform: "linux/amd64" });
        return readTree(rootfs);
      } catch {
        return "refused";
      }
    },
  },
  {
    name: "umoci",
    version: () => firstLine("umoci", ["--version"]),
    unpack: ({ layout, work }) =>
      succeeds("umoci", ["unpack", "--image", `${layout}:latest`, `${work}/bundle`])
        ? readTree(`${work}/bundle/rootfs`)
        : "refused",
  },
  { name: "podman, vfs", version: () => firstLine("podman", ["--version"]), unpack: podman("vfs") },
  { name: "podman, overlay", version: () => firstLine("podman", ["--version"]), unpack: podman("overlay") },
  {
    name: "GNU tar",
    version: () => firstLine("tar", ["--version"]),
    unpack: archiver("tar", [
      "--extract",
      "--preserve-permissions",
      "--numeric-owner",
      "--xattrs",
      "--xattrs-include=*",
    ]),
  },
  {
    name: "bsdtar",
    version: () => firstLine("bsdtar", ["--version"]),
    unpack: archiver("bsdtar", ["-x", "-p", "--numeric-owner"]),
  },
];

function podman(driver: string): Contender["unpack"] {
  return ({ layout, work }) => {
    const store = ["--root", `${work}/store`, "--runroot", `${work}/run`, "--storage-driver", driver];
    if (!succeeds("podman", [...store, "pull", "--quiet", `oci:${layout}:latest`])) return "refused";
    const id = execFileSync("podman", [...store, "images", "--quiet"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
    const mounted = spawnSync("podman", [...store, "image", "mount", id], { encoding: "utf8" });
    if (mounted.status !== 0) return "not asked"; // an image without layers
    try {
      return readTree(mounted.stdout.trim());
    } catch {
      return "unreadable";
    } finally {
      spawnSync("podman", [...store, "image", "unmount", "--force", id]);
    }
  };
}

/** An archiver knows nothing of layers: it is asked where there is just one, without whiteouts. */
function archiver(command: string, args: readonly string[]): Contender["unpack"] {
  return ({ archives, work }) => {
    const [archive, ...others] = archives;
    if (archive === undefined || others.length > 0) return "not asked";
    mkdirSync(`${work}/tree`);
    writeFileSync(`${work}/archive.tar`, archive);
    const isDone = succeeds(command, [...args, "-f", `${work}/archive.tar`, "-C", `${work}/tree`]);
    return isDone ? readTree(`${work}/tree`) : "refused";
  };
}

function succeeds(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore", timeout: 60_000 }).status === 0;
}

function firstLine(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8" }).split("\n")[0] ?? "";
}
