import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** The Debian package that brings each counterpart. */
const packages = {
  "docker-registry": "docker-registry",
  skopeo: "skopeo",
  umoci: "umoci",
  buildah: "buildah",
  podman: "podman",
  curl: "curl",
  igzip: "isal",
  ip: "iproute2",
  tc: "iproute2",
  "mkfs.ext4": "e2fsprogs",
  nsenter: "util-linux",
  taskset: "util-linux",
  strace: "strace",
  mmdebstrap: "mmdebstrap",
  mount: "mount",
  time: "time",
  setpriv: "util-linux",
  prlimit: "util-linux",
  zstd: "zstd",
  tar: "tar",
  gzip: "gzip",
  python3: "python3",
  bsdtar: "libarchive-tools",
  bzip2: "bzip2",
  "mkfs.erofs": "erofs-utils",
  sqfstar: "squashfs-tools",
  mke2fs: "e2fsprogs",
  setfattr: "attr",
  setfacl: "acl",
  mtree: "mtree-netbsd",
  openssl: "openssl",
  htpasswd: "apache2-utils",
  nginx: "nginx",
  tinyproxy: "tinyproxy-bin",
  runc: "runc",
  crun: "crun",
  busybox: "busybox-static",
  unshare: "util-linux",
} as const;

/** A program of somebody else's that tests and benchmarks run. */
export type Tool = keyof typeof packages;

/**
 * The `skip` of a test that needs tools: false where all are there, else a sentence for the report.
 *
 * With `CI=true` or `OCI_UNPACK_REQUIRE_TOOLS=1` a missing tool is an error instead, so that a run which must prove
 * something cannot pass by proving nothing.
 */
export function skipWithout(...tools: readonly Tool[]): false | string {
  const missing = missingTools(tools);
  if (missing.length === 0) return false;
  return skipped(`${missing.join(", ")} not found`, `apt-get install ${debianPackages(missing).join(" ")}`);
}

/** Insists on tools where there is nothing to skip. */
export function requireTools(...tools: readonly Tool[]): void {
  const missing = missingTools(tools);
  if (missing.length === 0) return;
  throw new Error(
    `cannot go on: ${missing.join(", ")} not found (apt-get install ${debianPackages(missing).join(" ")})`,
  );
}

/** The `skip` of a test that mounts file systems or gives files away. */
export function skipUnlessRoot(): false | string {
  return process.getuid?.() === 0 ? false : skipped("not root", "run the tests as root");
}

/** Those of the tools that no directory of PATH has. */
function missingTools(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => !searchPath().some((directory) => isExecutable(join(directory, tool))));
}

/** What to install for tools, each package once. */
function debianPackages(tools: readonly Tool[]): string[] {
  return [...new Set(tools.map((tool) => packages[tool]))];
}

/** Turns the reason why a test cannot run into a skip, or into an error where everything must run. */
function skipped(reason: string, remedy: string): string {
  const { CI, OCI_UNPACK_REQUIRE_TOOLS } = process.env;
  if (CI === "true" || OCI_UNPACK_REQUIRE_TOOLS === "1") {
    throw new Error(`cannot leave out a test: ${reason} (${remedy})`);
  }
  return `${reason}: ${remedy}`;
}

/** System administration's directories belong to it even where an ordinary user's PATH lacks them. */
function searchPath(): string[] {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
