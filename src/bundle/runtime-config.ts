import type { ExecutionParameters, ImageConfig } from "../oci/config.ts";
import { defaultMounts, type Mount } from "./mounts.ts";
import type { ProcessUser, Rootless } from "./user.ts";

/** The parts of a container's configuration that depend on more than the image's. */
export interface ConfigParts {
  readonly user: ProcessUser;
  readonly cwd: string;
  readonly volumes: readonly Mount[];
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * The configuration of a container that runs the image: `config.json` of a bundle (runtime-spec, config.md), converted
 * as the image-spec's conversion.md says.
 *
 * What the image does not say is as in `runc spec`, except for the terminal: there is none, so that scripts can run it.
 */
export function runtimeConfig({ execution }: ImageConfig, parts: ConfigParts, rootless?: Rootless): object {
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

/** Entrypoint and command together. An image that has neither gets a shell, so that the bundle can be started. */
function argumentsOf({ entrypoint = [], cmd = [] }: ExecutionParameters): readonly string[] {
  const args = [...entrypoint, ...cmd];
  return args.length === 0 ? ["sh"] : args;
}

/** The image's variables, and those that every program expects and the image does not set. */
function environmentOf({ env = [] }: ExecutionParameters, user: ProcessUser): readonly string[] {
  const names = new Set(env.map((entry) => entry.split("=", 1)[0]));
  const defaults = [
    ["PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ["TERM", "xterm"],
    ["HOME", user.home],
  ] as const;
  return [...env, ...defaults.filter(([name]) => !names.has(name)).map(([name, value]) => `${name}=${value}`)];
}

/** The further groups of the user. A user namespace with a single group has none. */
function additionalGids(user: ProcessUser, rootless: Rootless | undefined): object {
  return rootless !== undefined || user.additionalGids.length === 0 ? {} : { additionalGids: user.additionalGids };
}

function namespaces(isRootless: boolean): readonly { readonly type: string }[] {
  const types = ["pid", "network", "ipc", "uts", "mount"];
  // Without root a network cannot be set up, so the host's is kept. A user namespace makes the other namespaces
  // possible.
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
