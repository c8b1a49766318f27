import type { ExecutionParameters, ImageConfig } from "../oci/config.ts";
import { defaultMounts, type Mount } from "./mounts.ts";
import type { ProcessUser, Rootless } from "./user.ts";

/** What was found out with the image's root filesystem, or left out of its labels. */
export interface Parts {
  readonly user: ProcessUser;
  readonly cwd: string;
  readonly volumes: readonly Mount[];
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The configuration of a container that runs the image: `config.json` of a bundle (runtime-spec, config.md), converted as
 * the image-spec's conversion.md says.
 *
 * What the image leaves open is what `runc spec` has, but for the terminal: none is asked for, so that scripts can run it.
 */
export function runtimeConfig({ execution }: ImageConfig, parts: Parts, rootless?: Rootless): object {
  const { user, cwd, volumes, annotations } = parts;
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: user.uid, gid: user.gid, ...additionalGids(user, rootless) },
      args: argumentsOf(execution),
      env: environmentOf(execution, user),
      cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      noNewPrivileges: true,
    },
    root: { path: "rootfs" },
    hostname: "oci-unpack",
    mounts: [...defaultMounts(rootless !== undefined), ...volumes],
    annotations,
    linux: {
      ...(rootless === undefined
        ? { resources: { devices: [{ allow: false, access: "rwm" }] } }
        : {
            uidMappings: [{ containerID: 0, hostID: rootless.uid, size: 1 }],
            gidMappings: [{ containerID: 0, hostID: rootless.gid, size: 1 }],
          }),
      namespaces: namespaces(rootless !== undefined),
      maskedPaths,
      readonlyPaths,
    },
  };
}

/** Entrypoint and command together; a shell where the image has neither, so that the bundle can be started at all. */
function argumentsOf({ entrypoint = [], cmd = [] }: ExecutionParameters): readonly string[] {
  const args = [...entrypoint, ...cmd];
  return args.length === 0 ? ["sh"] : args;
}

/** The image's own variables, and those that every program expects where the image does not set them. */
function environmentOf({ env = [] }: ExecutionParameters, user: ProcessUser): readonly string[] {
  const names = new Set(env.map((entry) => entry.split("=", 1)[0]));
  const defaults = [
    ["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ["TERM", "xterm"],
    ["HOME", user.home],
  ] as const;
  return [...env, ...defaults.filter(([name]) => !names.has(name)).map(([name, value]) => `${name}=${value}`)];
}

/** In a user namespace with one group there are no others to belong to. */
function additionalGids(user: ProcessUser, rootless: Rootless | undefined): object {
  return rootless !== undefined || user.additionalGids.length === 0 ? {} : { additionalGids: user.additionalGids };
}

function namespaces(isRootless: boolean): readonly { readonly type: string }[] {
  const types = ["pid", "network", "ipc", "uts", "mount"];
  // Without root there is nobody to set up a network, so the host's is kept; a user namespace makes the rest possible.
  return (isRootless ? [...types.filter((type) => type !== "network"), "user"] : types).map((type) => ({ type }));
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
