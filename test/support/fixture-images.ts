import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { repositoryFile } from "./repository.ts";

/** An image that another tool made. */
export interface FixtureImage {
  readonly name: string;
  /** What skopeo calls its form. */
  readonly transport: "oci-archive" | "docker-archive";
  readonly platform: string;
}

/** All of them, where they lie beside a checkout; none elsewhere. */
export function fixtureImages(): readonly FixtureImage[] {
  const oci = (name: string, platform = "linux/amd64"): FixtureImage => ({ name, transport: "oci-archive", platform });
  const docker = (name: string): FixtureImage => ({ name, transport: "docker-archive", platform: "linux/amd64" });
  return [
    oci("busybox-1.31.1.oci.tar"),
    oci("busybox.multiplatform.oci.tar"), // its index names eight platforms; amd64's blobs are there
    ...["gzip", "zstd", "estargz", "uncompressed"].map((name) => oci(`small-${name}.oci.tar`, "linux/arm64")),
    oci("hello-world.hybrid.tar"),
    docker("hello-world.hybrid.tar"),
    docker("alpine-3.10.docker.tar.gz"),
    docker("alpine-3.11.docker.tar.gz"),
  ].filter(({ name }) => existsSync(pathOf(name)));
}

/** Writes an image's archive, not compressed as a whole, into a directory, and gives its path. */
export async function writeFixture({ name }: FixtureImage, directory: string): Promise<string> {
  const archive = join(directory, name.replace(/\.gz$/, ""));
  const bytes = await readFile(pathOf(name));
  await writeFile(archive, name.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  return archive;
}

function pathOf(name: string): string {
  return fileURLToPath(repositoryFile(`../shared/fixtures/images/${name}`));
}
