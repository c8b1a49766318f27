/**
 * How the names of images begin that are on this machine, in skopeo's words, and what follows the colon. The library has
 * the same names; they are repeated here so that it need not be loaded.
 */
export const transports = {
  oci: "directory",
  "oci-archive": "file",
  "docker-archive": "file",
  dir: "directory",
  "docker-daemon": "name in the engine",
} as const;

/** Where an image is: in files on this machine, in its engine, or else in a registry. */
type SourceKind = "files" | "engine" | "registry";

const byTransport = new Map<string, SourceKind>(
  Object.entries(transports).map(([name, place]) => [name, place === "name in the engine" ? "engine" : "files"]),
);

/** Where the image of a name is. */
export function sourceKindOf(image: string): SourceKind {
  const colon = image.indexOf(":");
  return (colon < 0 ? undefined : byTransport.get(image.slice(0, colon))) ?? "registry";
}
