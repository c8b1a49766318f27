import type { ImageConfig } from "../oci/config.ts";

/** The annotations of a bundle, and the labels of its image that are not among them. */
export interface Annotations {
  readonly annotations: Readonly<Record<string, string>>;
  /** Names of labels that a container runtime would obey if they were annotations. */
  readonly leftOut: readonly string[];
}

/**
 * The annotations of a container that runs the image: what the config says of the image, and the labels, which win
 * (image-spec, conversion.md, "Annotation Fields").
 */
export function annotationsOf({ platform, execution, created, author }: ImageConfig): Annotations {
  const prefix = "org.opencontainers.image.";
  const derived: readonly (readonly [string, string | undefined])[] = [
    ["os", platform.os],
    ["architecture", platform.architecture],
    ["variant", platform.variant],
    ["os.version", platform.osVersion],
    ["os.features", platform.osFeatures?.join(",")],
    ["author", author],
    ["created", created],
    ["stopSignal", execution.stopSignal],
    ["exposedPorts", execution.exposedPorts?.toSorted().join(",")],
  ];
  const stated = derived.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[prefix + name, value]],
  );
  const labels = Object.entries(execution.labels ?? {});
  return {
    annotations: Object.fromEntries([...stated, ...labels.filter(([name]) => !isObeyed(name))]),
    leftOut: labels.map(([name]) => name).filter(isObeyed),
  };
}

/**
 * Beginnings of annotations that container runtimes, or the programs that start them, obey: they name hooks, libraries
 * and devices of the host, another runtime, another root, or loosen the confinement.
 */
const prefixes = [
  "run.oci.", // crun: run.oci.seccomp.plugins is a library that it loads, run.oci.handler another runtime
  "org.systemd.property.", // crun and runc: of the scope that systemd makes
  "org.criu.", // crun, runc and youki: org.criu.config is a file that CRIU reads
  "module.wasm.", // crun and youki: run by a WebAssembly runtime
  "io.katacontainers.", // Kata: its hypervisor, kernel and hooks
  "dev.gvisor.", // gVisor: its flags, mounts and root
  "io.kubernetes.", // containerd, CRI-O, Kata and gVisor: io.kubernetes.cri.*, io.kubernetes.cri-o.*
  "io.containerd.", // containerd's shims
  "io.containers.", // podman, CRI-O and hooks: io.containers.seccomp.profile, io.containers.trace-syscall
  "io.podman.", // podman: io.podman.annotations.privileged
  "io.microsoft.", // hcsshim
  "com.urunc.", // urunc: a unikernel and its command line
  "aws.firecracker.", // firecracker-containerd
  "org.linuxcontainers.", // lxcri
];

/**
 * Domains whose annotations, `DOMAIN/NAME` or `NAME.DOMAIN`, are obeyed by containerd, CRI-O, Kata, or for devices
 * (CDI).
 */
const domains = ["cdi.k8s.io", "containerd.io", "crio.io", "kubernetes.io"];

/** Whether whoever runs the bundle would obey a label if it were an annotation. */
function isObeyed(label: string): boolean {
  if (prefixes.some((prefix) => label.startsWith(prefix))) return true;
  const [domain = ""] = label.split("/", 1);
  return domains.some((one) => domain === one || domain.endsWith(`.${one}`));
}
