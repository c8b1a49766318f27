import { mkdir, writeFile } from "node:fs/promises";
import { OciUnpackError } from "../base/errors.ts";
import { namesIn } from "../base/if-there.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { mediaTypes } from "../oci/media-type.ts";
import { makeDirectories } from "../output/made-directories.ts";
import type { BlobStore } from "./blob-store.ts";

/** Makes a store unless it is there. Throws `TARGET_NOT_EMPTY` for a directory that holds something else. */
export async function makeStore(store: BlobStore): Promise<void> {
  try {
    const isMade = await store.exists();
    await makeDirectories(store.directory, 0o700);
    if (!isMade) await insistOnOurs(store.directory);
    // Not `recursive`: on a read-only file system, Node then says that there is no such directory (seen on Node 20).
    for (const name of ["blobs", "blobs/sha256", "ingest"]) await mkdir(store.path(name)).catch(unlessThere);
    if (isMade) return;
    const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] };
    await writeFile(store.path("index.json"), JSON.stringify(index), { flag: "wx" }).catch(unlessThere);
    // The last of all: a store that has it is complete.
    await store.replace(store.path("oci-layout"), Buffer.from(JSON.stringify({ imageLayoutVersion: "1.0.0" })));
  } catch (error) {
    throw fileSystemError(error, `make the store "${store.directory}"`);
  }
}

/** Another process may be making the store at this moment; any other content is somebody's. */
async function insistOnOurs(directory: string): Promise<void> {
  const ours = ["blobs", "ingest", "index.json", "oci-layout", "in-use.lock"];
  const stranger = (await namesIn(directory)).find((name) => !ours.includes(name));
  if (stranger === undefined) return;
  throw new OciUnpackError(
    "TARGET_NOT_EMPTY",
    `cannot use "${directory}" as a store: it is no OCI image layout and contains "${stranger}"`,
    { hint: "name a directory that does not exist yet, an empty one, or an OCI image layout" },
  );
}

function unlessThere(error: unknown): void {
  if (!isErrno(error, "EEXIST")) throw error;
}
