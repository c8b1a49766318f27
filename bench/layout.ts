import { createHash, randomUUID } from "node:crypto";
import { mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type Archive, inPieces } from "./archive.ts";

/** A blob as a manifest states it. */
interface Blob {
  readonly digest: string;
  readonly size: number;
}

interface Layer extends Blob {
  readonly diffID: string;
}

/**
 * Writes an image of these layers, the lowest first, into an OCI image layout, and gives its name.
 *
 * Nothing is held in memory, so that layers of any size can be made.
 */
export async function writeLayout(target: string, archives: readonly Archive[], level: number): Promise<string> {
  await mkdir(join(target, "blobs/sha256"), { recursive: true });
  const layers = await Promise.all(archives.map((archive) => writeLayer(target, archive, level)));
  const config = await writeDocument(target, {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    rootfs: { type: "layers", diff_ids: layers.map(({ diffID }) => diffID) },
  });
  const manifest = await writeDocument(target, {
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: layers.map(({ digest, size }) => ({
      mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
      digest,
      size,
    })),
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        mediaType: "application/vnd.oci.image.manifest.v1+json",
        ...manifest,
        annotations: { "org.opencontainers.image.ref.name": "bench" },
      },
    ],
  };
  await writeFile(join(target, "index.json"), JSON.stringify(index));
  await writeFile(join(target, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  return `oci:${target}:bench`;
}

async function writeLayer(target: string, archive: Archive, level: number): Promise<Layer> {
  const content = createHash("sha256");
  const stored = createHash("sha256");
  const unfinished = join(target, `blobs/sha256/unfinished-${randomUUID()}`);
  let size = 0;
  await using blob = await open(unfinished, "w");
  for await (const chunk of Readable.from(hashed(inPieces(archive), content)).pipe(createGzip({ level }))) {
    stored.update(chunk);
    size += chunk.length;
    await blob.writeFile(chunk);
  }
  const digest = stored.digest("hex");
  await rename(unfinished, join(target, "blobs/sha256", digest));
  return { digest: `sha256:${digest}`, size, diffID: `sha256:${content.digest("hex")}` };
}

function* hashed(pieces: Iterable<Uint8Array>, hash: ReturnType<typeof createHash>): Generator<Uint8Array> {
  for (const piece of pieces) {
    hash.update(piece);
    yield piece;
  }
}

async function writeDocument(target: string, document: object): Promise<Blob> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(target, "blobs/sha256", digest), bytes);
  return { digest: `sha256:${digest}`, size: bytes.length };
}
