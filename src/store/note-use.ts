import { utimes } from "node:fs/promises";
import { ifThere } from "../base/if-there.ts";
import { isErrno } from "../base/system-error.ts";

/** Notes, in its modification time, that a file or directory of a store is used now: if the store can be written to. */
export async function noteUse(path: string): Promise<void> {
  const now = new Date();
  await ifPossible(`note the use of "${path}"`, () => utimes(path, now, now));
}

/** Changes something in a store, if that is there and the store can be written to. */
export async function ifPossible(attempted: string, work: () => Promise<void>): Promise<void> {
  await ifThere(attempted, async () => {
    await work().catch((error: unknown) => {
      if (!isErrno(error, "EROFS", "EACCES", "EPERM")) throw error;
    });
  });
}
