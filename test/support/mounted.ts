import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Listing } from "../model/listing.ts";
import { output } from "./command.ts";

/** A file system that is to be looked at, as mount(8) wants it. */
export interface Mount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** What the kernel shows of file systems, each mounted in a namespace that goes when all have been read. */
export async function mounted(mounts: readonly Mount[]): Promise<readonly Listing[]> {
  const place = await mkdtemp(join(tmpdir(), "oci-unpack-mounts-"));
  try {
    await writeFile(join(place, "mounts.json"), JSON.stringify(mounts));
    const reader = fileURLToPath(new URL("mounted-reader.js", import.meta.url));
    await output("unshare", ["--mount", process.execPath, reader, place]);
    return JSON.parse(await readFile(join(place, "listings.json"), "utf8"));
  } finally {
    await rm(place, { recursive: true });
  }
}
