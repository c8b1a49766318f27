/** A file of this repository, seen from a test that was compiled to `build/test`. */
export function repositoryFile(path: string): URL {
  return new URL(`../../../${path}`, import.meta.url);
}
