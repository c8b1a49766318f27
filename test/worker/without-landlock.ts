import { join } from "node:path";
import { isOciUnpackError, unpack } from "../../src/index.ts";
import { confine } from "../../src/linux/landlock.ts";
import { openDirectoryPath } from "../../src/linux/syscalls.ts";

// Run as a process of its own: REFERENCE DIRECTORY. A thread can be confined sixteen times over; this one is, to the
// whole file system, so that for the threads that it starts no further confinement is to be had.

const [reference = "", directory = ""] = process.argv.slice(2);
const everything = openDirectoryPath("/");
while ("abi" in confine({ writableBeneath: everything }));

process.stdout.write(JSON.stringify({ require: await outcome("require"), prefer: await outcome("prefer") }));

async function outcome(sandbox: "require" | "prefer"): Promise<unknown> {
  try {
    const result = await unpack(reference, join(directory, sandbox), { platform: "linux/amd64", sandbox });
    return result.sandbox;
  } catch (error) {
    return isOciUnpackError(error) ? error.code : String(error);
  }
}
