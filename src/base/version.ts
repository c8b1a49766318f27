/**
 * Inserted by the bundler, so that no file is read for the version: 24 ms of processor time and not 25.5; `node -e 0`
 * takes 18 (Node 20).
 */
declare const packageVersion: string | undefined;

/** The version in package.json. */
export function version(): string {
  return typeof packageVersion === "string" ? packageVersion : versionInManifest();
}

/** The version from package.json, for files that were compiled but not bundled. */
function versionInManifest(): string {
  const { readFileSync } = process.getBuiltinModule("node:fs");
  const manifest: unknown = JSON.parse(readFileSync(new URL(import.meta.resolve("oci-unpack/package.json")), "utf8"));
  if (typeof manifest === "object" && manifest !== null && "version" in manifest) return String(manifest.version);
  throw new Error("package.json has no version");
}
