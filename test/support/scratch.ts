import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "./remove-tree.ts";

/** A directory that goes when its scope ends. */
export interface Scratch extends AsyncDisposable {
  readonly directory: string;
}

export async function scratch(): Promise<Scratch> {
  const directory = await mkdtemp(join(tmpdir(), "oci-unpack-test-"));
  return {
    directory,
    [Symbol.asyncDispose]: async () => removeTree(directory),
  };
}
