/**
 * Beginnings of annotations that container runtimes and what starts them obey: hooks, libraries and devices of the host,
 * another runtime altogether, another root, less confinement.
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

/** Domains whose annotations, `DOMAIN/NAME` or `NAME.DOMAIN`, are obeyed: by containerd, CRI-O, Kata, and whoever makes devices by CDI. */
const domains = ["cdi.k8s.io", "containerd.io", "crio.io", "kubernetes.io"];

/** Whether a label would be an order to whoever runs the bundle, were it an annotation there. */
export function isObeyed(label: string): boolean {
  if (prefixes.some((prefix) => label.startsWith(prefix))) return true;
  const [domain = ""] = label.split("/", 1);
  return domains.some((one) => domain === one || domain.endsWith(`.${one}`));
}
