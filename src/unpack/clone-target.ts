import { link, rm } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { CloneMode } from "../base/option-words.ts";
import { errorCode } from "../base/system-error.ts";
import type { Transfer } from "../clone/new-files.ts";
import type { BlobStore } from "../store/blob-store.ts";
import { reflink } from "../store/kept-files.ts";

/** A file that every store has, and that nobody changes. */
const probed = "oci-layout";

/**
 * How files come from a store into an empty directory. It is tried with a file of the store, before anything is fetched.
 * Throws `FILE_SYSTEM` where what was asked for is not possible between the two.
 */
export async function transferInto(staging: string, store: BlobStore, mode: CloneMode = "auto"): Promise<Transfer> {
  const source = store.path(probed);
  const probe = join(staging, "probe");
  try {
    switch (mode) {
      case "auto":
        return (await failureOf(reflink(source, probe))) === undefined ? "reflink" : "copy";
      case "copy":
        return "copy";
      case "reflink":
        return insisted("reflink", await failureOf(reflink(source, probe)), { staging, store });
      case "hardlink":
        return insisted("hardlink", await failureOf(link(source, probe)), { staging, store });
    }
  } finally {
    await rm(probe, { force: true });
  }
}

function failureOf(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

interface Places {
  readonly staging: string;
  readonly store: BlobStore;
}

function insisted(transfer: "reflink" | "hardlink", error: unknown, { staging, store }: Places): Transfer {
  if (error === undefined) return transfer;
  const attempted = transfer === "reflink" ? "share blocks" : "have the same files";
  const code = errorCode(error);
  throw new OciUnpackError(
    "FILE_SYSTEM",
    `cannot clone by ${transfer}: the store "${store.directory}" and "${staging}" cannot ${attempted} (${code ?? error})`,
    {
      hint: `use a store on the same ${transfer === "reflink" ? "file system, one with reflinks such as btrfs or XFS" : "file system"}, or \`clone: "auto"\``,
      cause: error,
    },
  );
}
