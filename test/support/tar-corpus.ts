import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { repositoryFile } from "./repository.ts";

/** Archives that another project tests its own reader with. They lie beside a checkout or nowhere. */
export interface Corpus {
  readonly directory: string;
  /** Names of the archives; none where the corpus is not there. */
  readonly names: readonly string[];
  /** The `skip` of a test that needs the corpus. */
  readonly skip: false | string;
}

export function corpus(folder: "go" | "node-tar/archives"): Corpus {
  const path = `../shared/fixtures/tars/${folder}`;
  const directory = fileURLToPath(repositoryFile(path));
  if (!existsSync(directory)) return { directory, names: [], skip: `no corpus: ${path} is not there` };
  return {
    directory,
    // One of Go's is a layer, named by its digest.
    names: readdirSync(directory)
      .filter((name) => /\.tar(\.|$)|^[0-9a-f]{64}$/.test(name))
      .sort(),
    skip: false,
  };
}

/** An archive of a corpus, decompressed. */
export function corpusArchive({ directory }: Corpus, name: string): Uint8Array {
  const path = join(directory, name);
  if (name.endsWith(".bz2")) return execFileSync("bzip2", ["-dc", path], { maxBuffer: 2 ** 26 });
  const bytes = readFileSync(path);
  return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
}
