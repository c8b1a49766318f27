import { join } from "node:path";
import { output } from "./command.ts";

// What skopeo is told on every machine alike: no signature policy, one platform, no TLS on loopback.
const skopeo = ["--insecure-policy", "--override-os=linux", "--override-arch=amd64", "copy", "--quiet"];

/** What skopeo calls a place that has an image: `oci:DIRECTORY:TAG`, `docker-archive:FILE`, … */
export type SkopeoSource = `${string}:${string}`;

export interface PushOptions {
  /** Keeps every byte as it is: encodings, documents, digests. Default: true. */
  readonly preserve?: boolean;
  /** Copies an index with all its images. Default: false. */
  readonly all?: boolean;
  /** Rewrites the documents with Docker's media types. */
  readonly docker?: boolean;
}

/** Puts an image from somewhere into a registry on loopback. */
export async function pushed(source: SkopeoSource, reference: string, options: PushOptions = {}): Promise<void> {
  const { preserve = true, all = false, docker = false } = options;
  const flags = [
    ...(docker ? ["--format=v2s2"] : preserve ? ["--preserve-digests"] : []),
    ...(all ? ["--all"] : []),
    "--dest-tls-verify=false",
  ];
  await output("skopeo", [...skopeo, ...flags, source, `docker://${reference}`]);
}

/**
 * Unpacks an image the way everybody else does and gives the root filesystem's path.
 *
 * The detour by a docker archive is for umoci's sake, which cannot read zstd: that format stores plain archives.
 */
export async function unpackedByUmoci(source: SkopeoSource, directory: string): Promise<string> {
  const archive = join(directory, "umoci.tar");
  const layout = join(directory, "layout");
  const bundle = join(directory, "bundle");
  const from = ["--src-tls-verify=false", source];
  await output("skopeo", [...skopeo, ...from, `docker-archive:${archive}:umoci:latest`]);
  await output("skopeo", [...skopeo, `docker-archive:${archive}`, `oci:${layout}:latest`]);
  await output("umoci", ["unpack", "--image", `${layout}:latest`, bundle]);
  return join(bundle, "rootfs");
}
