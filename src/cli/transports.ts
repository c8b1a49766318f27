/** Who has an image, as its name begins: files on this machine, its engine, or else a registry. */
export type Whereabouts = "files" | "engine" | "registry";

const byTransport = new Map<string, Whereabouts>([
  ["oci", "files"],
  ["oci-archive", "files"],
  ["docker-archive", "files"],
  ["dir", "files"],
  ["docker-daemon", "engine"],
]);

/** Where an image of this name is. The library knows the same names; nothing is loaded to tell. */
export function whereaboutsOf(image: string): Whereabouts {
  const colon = image.indexOf(":");
  return (colon < 0 ? undefined : byTransport.get(image.slice(0, colon))) ?? "registry";
}
