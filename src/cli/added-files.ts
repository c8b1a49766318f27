import { present } from "../base/present.ts";
import type { AddedFile } from "../index.ts";
import { UsageError } from "./usage-error.ts";

/** The files of `--add-file`. Throws `UsageError`. */
export function addedFiles(texts: readonly string[] | undefined): readonly AddedFile[] | undefined {
  return texts?.map(addedFile);
}

/** `[MODE:[UID:GID:]]SOURCE:TARGET`. What comes before the source is told by how many parts there are. */
function addedFile(text: string): AddedFile {
  const parts = text.split(":");
  const [target = "", source = "", ...before] = parts.toReversed();
  const [mode, uid, gid] = before.toReversed();
  if (source === "" || target === "") throw refused(text, "a source and a target are expected");
  if (parts.length === 4 || parts.length > 5) throw refused(text, "it has too many or too few colons");
  if (mode !== undefined && !/^[0-7]{3,4}$/.test(mode)) throw refused(text, `"${mode}" is no mode in octal digits`);
  const owners = [uid, gid].map((id) => (id === undefined ? undefined : idOf(id, text)));
  const bits = mode === undefined ? undefined : Number.parseInt(mode, 8);
  return present({ source, target, mode: bits, uid: owners[0], gid: owners[1] });
}

function idOf(id: string, text: string): number {
  if (/^\d{1,10}$/.test(id)) return Number(id);
  throw refused(text, `"${id}" is no number of a user or group`);
}

function refused(text: string, found: string): UsageError {
  return new UsageError(
    `cannot use --add-file "${text}": ${found}`,
    "write [MODE:[UID:GID:]]SOURCE:TARGET, as in 755:0:0:./init:/init; a file called 755 is ./755",
  );
}
