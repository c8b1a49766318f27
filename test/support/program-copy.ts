import { cp, readdir } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "./repository.ts";

/**
 * Copies what is shipped into a directory, with the packages that it needs and that are installed, but without those
 * that it names. Gives the path of the command.
 */
export async function copyProgram(directory: string, { without }: { readonly without: RegExp }): Promise<string> {
  const installed = fileURLToPath(repositoryFile("node_modules"));
  const names = (await readdir(installed)).filter((name) => needed.test(name) && !without.test(name));
  for (const part of ["dist", "package.json", ...names.map((name) => `node_modules/${name}`)]) {
    const options = { recursive: true, dereference: true };
    await cp(fileURLToPath(repositoryFile(part)), join(directory, part), options);
  }
  return join(directory, "dist/cli/main.js");
}

/** What package.json has as dependencies, and theirs. */
const needed = /^(?:koffi|@koromix|smol-toml|tldts|tldts-core|@sigstore)$/;
