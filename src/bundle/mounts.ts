import { OciUnpackError } from "../base/errors.ts";
import type { ContainerPaths } from "./container-paths.ts";

/** A mount of the container (runtime-spec, config.md, "Mounts"). */
export interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The file systems that every Linux container expects (runtime-spec, config-linux.md, "Default Filesystems"). */
export function defaultMounts(isRootless: boolean): readonly Mount[] {
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
      // Group 5 is tty, which a user namespace with a single group does not have.
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", ...(isRootless ? [] : ["gid=5"])],
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

/** The image's volumes, as writable file systems that are not kept (image-spec, conversion.md, "Config.Volumes"). */
export function volumeMounts(volumes: readonly string[], paths: ContainerPaths): readonly Mount[] {
  return volumes.toSorted().map((volume) => {
    const isPlain = volume.startsWith("/") && !volume.includes("\0") && !volume.split("/").includes("..");
    if (!isPlain) throw refused(volume, "it is no absolute path");
    // Runtimes confine the process by writing to /proc, which a volume would catch (CVE-2019-16884).
    if (paths.isInProc(volume)) throw refused(volume, "it leads into /proc");
    return {
      destination: volume,
      type: "tmpfs",
      source: "none",
      options: ["rw", "nosuid", "nodev", "noexec", "relatime"],
    };
  });
}

function refused(volume: string, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_CONFIG", `cannot mount the image's volume "${volume.slice(0, 200)}": ${found}`);
}
