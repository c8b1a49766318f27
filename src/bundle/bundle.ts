import { OciUnpackError } from "../base/errors.ts";
import type { ExecutionParameters, ImageConfig } from "../oci/config.ts";
import { annotationsOf } from "./annotations.ts";
import { ContainerPaths, workingDirectoryOf } from "./container-paths.ts";
import { textInRootfs } from "./text-in-rootfs.ts";
import { type ProcessUser, resolveUser } from "./user.ts";
import { type BundleOwners, hasUser, isMapped, type UserNamespace, userNamespaceOf } from "./user-namespace.ts";

/** What a container runtime gets of an image, and what it does not. */
export interface Bundle {
  /** The text of `config.json`. */
  readonly config: Uint8Array;
  /** Names of labels that are left out, because the runtime would obey them as annotations. */
  readonly leftOut: readonly string[];
  /** The image's user, if the bundle has a user namespace and this user is not in it. */
  readonly unmappedUser?: ProcessUser;
}

/**
 * The bundle for an image whose root filesystem is the directory `rootfs`.
 *
 * Throws `INVALID_CONFIG` for a user that the image does not have, and for paths that lead into directories of the
 * runtime.
 */
export function bundleOf(image: ImageConfig, rootfs: string, owners: BundleOwners = {}): Bundle {
  const user = resolveUser(
    image.execution.user ?? "",
    textInRootfs(rootfs, "etc/passwd"),
    textInRootfs(rootfs, "etc/group"),
  );
  const { annotations, leftOut } = annotationsOf(image);
  const namespace = userNamespaceOf(owners);
  const isRootless = owners.rootless !== undefined;
  const parts = { user, annotations, ...pathsOf(image, rootfs), namespace, isRootless };
  const config = Buffer.from(`${JSON.stringify(runtimeConfig(image, parts), undefined, 2)}\n`);
  const isUnmapped = namespace !== undefined && !hasUser(namespace, user);
  return { config, leftOut, ...(isUnmapped && { unmappedUser: user }) };
}

function pathsOf({ execution }: ImageConfig, rootfs: string) {
  using paths = new ContainerPaths(rootfs);
  const cwd = workingDirectoryOf(execution.workingDir ?? "", paths);
  return { cwd, volumes: volumeMounts(execution.volumes ?? [], paths) };
}

/** The parts of a container's configuration that depend on more than the image's. */
interface ConfigParts {
  readonly user: ProcessUser;
  readonly cwd: string;
  readonly volumes: readonly Mount[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Absent: the container's users are the machine's. */
  readonly namespace: UserNamespace | undefined;
  /** Whether the runtime runs without root. */
  readonly isRootless: boolean;
}

/**
 * The configuration of a container that runs the image: `config.json` of a bundle (runtime-spec, config.md), converted
 * as the image-spec's conversion.md says.
 *
 * What the image does not say is as in `runc spec`, except for the terminal: there is none, so that scripts can run it.
 */
function runtimeConfig({ execution }: ImageConfig, parts: ConfigParts): object {
  const { user, cwd, volumes, annotations, namespace, isRootless } = parts;
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, ...additionalGids(user, namespace) },
      args: argumentsOf(execution),
      env: environmentOf(execution, user),
      cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    hostname: "oci-unpack",
    mounts: [...defaultMounts(parts), ...volumes],
    annotations,
    linux: {
      ...(!isRootless && { resources: { devices: [{ allow: false, access: "rwm" }] } }),
      ...namespace,
      namespaces: namespaces(parts),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** Entrypoint and command together. An image that has neither gets a shell, so that the bundle can be started. */
function argumentsOf({ entrypoint = [], cmd = [] }: ExecutionParameters): readonly string[] {
  const args = [...entrypoint, ...cmd];
  return args.length === 0 ? ["sh"] : args;
}

/**
 * The image's variables, and those that every program expects and the image does not set. The last of one name counts,
 * as in other tools: a program would see both, and most take the first. What has no `=` is no variable: docker and
 * containerd leave it out, and runc would start nothing.
 */
function environmentOf({ env = [] }: ExecutionParameters, user: ProcessUser): readonly string[] {
  const own = env.filter((entry) => entry.includes("=")).map((entry) => [entry.split("=", 1)[0], entry] as const);
  const defaults = [
    ["PATH", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ["TERM", "TERM=xterm"],
    ["HOME", `HOME=${user.home}`],
  ] as const;
  const names = new Set(own.map(([name]) => name));
  return [...new Map([...own, ...defaults.filter(([name]) => !names.has(name))]).values()];
}

/** The further groups of the user that are in the user namespace. */
function additionalGids(user: ProcessUser, namespace: UserNamespace | undefined): object {
  const { gidMappings } = namespace ?? {};
  const additional = user.additionalGids.filter((gid) => gidMappings === undefined || isMapped(gid, gidMappings));
  return additional.length === 0 ? {} : { additionalGids: additional };
}

function namespaces({ namespace, isRootless }: ConfigParts): readonly { readonly type: string }[] {
  // Without root a network cannot be set up, so the host's is kept. A user namespace makes the other namespaces
  // possible.
  const types = isRootless ? ["pid", "ipc", "uts", "mount"] : ["pid", "network", "ipc", "uts", "mount"];
  return (namespace === undefined ? types : [...types, "user"]).map((type) => ({ type }));
}

const capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

const maskedPaths = [
  "/proc/acpi",
  "/proc/asound",
  "/proc/kcore",
  "/proc/keys",
  "/proc/latency_stats",
  "/proc/timer_list",
  "/proc/timer_stats",
  "/proc/sched_debug",
  "/sys/firmware",
  "/proc/scsi",
];

const readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** A mount of the container (runtime-spec, config.md, "Mounts"). */
interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The file systems that every Linux container expects (runtime-spec, config-linux.md, "Default Filesystems"). */
function defaultMounts({ namespace, isRootless }: ConfigParts): readonly Mount[] {
  const hasTty = namespace === undefined || isMapped(5, namespace.gidMappings);
  const guarded = ["nosuid", "noexec", "nodev"];
  return [
    { destination: "/proc", type: "proc", source: "proc", options: guarded },
    {
      destination: "/dev",
      type: "tmpfs",
      source: "tmpfs",
      options: ["nosuid", "strictatime", "mode=755", "size=65536k"],
    },
    {
      destination: "/dev/pts",
      type: "devpts",
      source: "devpts",
      // Group 5 is tty, which a user namespace may not have.
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...(hasTty ? ["gid=5"] : [])],
    },
    { destination: "/dev/shm", type: "tmpfs", source: "shm", options: [...guarded, "mode=1777", "size=65536k"] },
    { destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: guarded },
    isRootless
      ? // A new sysfs would show the network namespace, which without root is the host's. Only a bind mount is allowed.
        { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] }
      : { destination: "/sys", type: "sysfs", source: "sysfs", options: [...guarded, "ro"] },
    ...(isRootless
      ? []
      : [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: [...guarded, "relatime", "ro"] }]),
  ];
}

/**
 * The image's volumes, as writable file systems that are not kept (image-spec, conversion.md, "Config.Volumes"). One
 * that is not absolute begins at the root, as it does in docker: `VOLUME data` is `/data`.
 */
export function volumeMounts(volumes: readonly string[], paths: ContainerPaths): readonly Mount[] {
  const destinations = volumes.map((volume) => {
    if (volume.includes("\0") || volume.split("/").includes("..")) throw refused(volume, "it is no plain path");
    if (volume.split("/").every((name) => name === "" || name === ".")) throw refused(volume, "it is the root itself");
    // Runtimes confine the process by writing to /proc, which a volume would catch (CVE-2019-16884).
    const destination = volume.startsWith("/") ? volume : `/${volume}`;
    if (paths.isInProc(destination)) throw refused(volume, "it leads into /proc");
    return destination;
  });
  return destinations.toSorted().map((destination) => ({
    destination,
    type: "tmpfs",
    source: "none",
    options: ["rw", "nosuid", "nodev", "noexec", "relatime"],
  }));
}

function refused(volume: string, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_CONFIG", `cannot mount the image's volume "${volume.slice(0, 200)}": ${found}`);
}
