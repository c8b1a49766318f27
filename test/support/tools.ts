import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { cloudKernel } from "./cloud-kernel.ts";

/** The Debian package that brings each counterpart. */
const packages = {
  "docker-registry": "docker-registry",
  skopeo: "skopeo",
  cosign: "cosign",
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
  oras: "oras",
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
  veritysetup: "cryptsetup-bin",
  mke2fs: "e2fsprogs",
  "mkfs.btrfs": "btrfs-progs",
  setfattr: "attr",
  setfacl: "acl",
  chattr: "e2fsprogs",
  mtree: "mtree-netbsd",
  openssl: "openssl",
  htpasswd: "apache2-utils",
  nginx: "nginx",
  tinyproxy: "tinyproxy-bin",
  runc: "runc",
  crun: "crun",
  busybox: "busybox-static",
  unshare: "util-linux",
  bash: "bash",
  "bash-completion": "bash-completion",
  zsh: "zsh",
  fish: "fish",
  mandoc: "mandoc",
  script: "bsdutils",
  "qemu-system-x86_64": "qemu-system-x86",
  vmlinuz: "linux-image-cloud-amd64",
  dmsetup: "dmsetup",
  jq: "jq",
  xz: "xz-utils",
} as const;

/** Where what is no program is. */
const places: Readonly<Partial<Record<Tool, string>>> = {
  "bash-completion": "/usr/share/bash-completion/bash_completion",
  vmlinuz: cloudKernel,
};

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
  const [reason, remedy] = [`${missing.join(", ")} not found`, `apt-get install ${debianPackages(missing).join(" ")}`];
  const { CI, OCI_UNPACK_REQUIRE_TOOLS } = process.env;
  if (CI === "true" || OCI_UNPACK_REQUIRE_TOOLS === "1") {
    throw new Error(`cannot leave out a test: ${reason} (${remedy})`);
  }
  return `${reason}: ${remedy}`;
}

/** The `skip` of a test that mounts layers as an overlay. */
export function skipUnlessOverlays(): false | string {
  return skipUnlessMounting() || skipUnlessWhiteouts();
}

/** The `skip` of a test that makes devices 0:0, which a file system that is an overlay itself takes for its own whiteouts. */
export function skipUnlessWhiteouts(): false | string {
  const place = mkdtempSync(join(tmpdir(), "oci-unpack-whiteout-"));
  const { status } = spawnSync("mknod", [join(place, "whiteout"), "c", "0", "0"], { stdio: "ignore" });
  rmSync(place, { recursive: true });
  return status === 0 ? false : `no device 0:0 can be made in ${tmpdir()}: choose a TMPDIR that is no overlay`;
}

/** Insists on tools where there is nothing to skip. */
export function requireTools(...tools: readonly Tool[]): void {
  const missing = missingTools(tools);
  if (missing.length === 0) return;
  throw new Error(
    `cannot go on: ${missing.join(", ")} not found (apt-get install ${debianPackages(missing).join(" ")})`,
  );
}

/**
 * The `skip` of a test that gives files away, or does what else only root may: the machine's, whom all users are known to,
 * not a user namespace's. An ordinary user's run proves what such a user can.
 */
export function skipUnlessRoot(): false | string {
  if (process.getuid?.() !== 0) return "not root: run the tests as root";
  const maps = ["uid_map", "gid_map"].map((name) => readFileSync(`/proc/self/${name}`, "utf8").trim().split(/\s+/));
  const isMachines = maps.every((map) => map.join(" ") === "0 0 4294967295");
  return isMachines ? false : "root of a user namespace: run the tests as the machine's root";
}

/** The `skip` of a test that mounts file systems, which root may not in most containers. */
export function skipUnlessMounting(...tools: readonly Tool[]): false | string {
  const skip = skipUnlessRoot() || skipWithout("mount", "unshare", ...tools);
  if (skip !== false) return skip;
  isMountingAllowed ??= spawnSync("unshare", ["--mount", "true"], { stdio: "ignore" }).status === 0;
  return isMountingAllowed ? false : "mounts are forbidden here";
}

/** Asked once: a file has many such tests. */
let isMountingAllowed: boolean | undefined;

/** Those of the tools that no directory of PATH has. */
function missingTools(tools: readonly Tool[]): Tool[] {
  return tools.filter((tool) => {
    const place = places[tool];
    return place !== undefined ? !existsSync(place) : !searchPath().some((each) => isExecutable(join(each, tool)));
  });
}

/** What to install for tools, each package once. */
function debianPackages(tools: readonly Tool[]): string[] {
  return [...new Set(tools.map((tool) => packages[tool]))];
}

/** System administration's directories belong to it even where an ordinary user's PATH lacks them. */
export function searchPath(): string[] {
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
