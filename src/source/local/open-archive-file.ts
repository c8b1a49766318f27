import { type FileHandle, open } from "node:fs/promises";
import { isOciUnpackError, OciUnpackError } from "../../base/errors.ts";
import { fileSystemError, isErrno } from "../../base/system-error.ts";
import { compressionOf, tellingBytes } from "../../blob/compression.ts";

/** An archive's file, and whether it can be read in place: it is a regular one, and not compressed. */
export async function openArchiveFile(path: string): Promise<{ readonly file: FileHandle; readonly isPlain: boolean }> {
  const file = await openFile(path);
  try {
    return { file, isPlain: await isPlain(file, path) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (isErrno(error, "ENOENT")) {
      throw new OciUnpackError("NOT_FOUND", `cannot open the archive "${path}": there is no such file`, {
        hint: "check the path, and from where it starts",
      });
    }
    throw fileSystemError(error, `open the archive "${path}"`);
  }
}

async function isPlain(file: FileHandle, path: string): Promise<boolean> {
  const status = await file.stat();
  if (status.isDirectory()) {
    throw new OciUnpackError("INVALID_ARCHIVE", `cannot read the archive "${path}": it is a directory`, {
      hint: "oci: reads an OCI layout, dir: what skopeo wrote",
    });
  }
  if (!status.isFile()) return false;
  const head = new Uint8Array(tellingBytes);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  try {
    return compressionOf(head.subarray(0, bytesRead)) === "none";
  } catch (error) {
    // A compression that nobody here knows: whoever decompresses says so.
    if (isOciUnpackError(error, "UNSUPPORTED_MEDIA_TYPE")) return false;
    throw error;
  }
}
