import type { ImageConfig } from "../oci/config.ts";

/** What the config says of the image, as annotations of the container (image-spec, conversion.md, "Annotation Fields"). Labels win over what is derived. */
export function annotationsOf({ platform, execution, created, author }: ImageConfig): Readonly<Record<string, string>> {
  const prefix = "org.opencontainers.image.";
  const derived: readonly (readonly [string, string | undefined])[] = [
    ["os", platform.os],
    ["architecture", platform.architecture],
    ["variant", platform.variant],
    ["os.version", platform.osVersion],
    ["os.features", platform.osFeatures?.join(",")],
    ["author", author],
    ["created", created],
    ["stopSignal", execution.stopSignal],
    ["exposedPorts", execution.exposedPorts?.toSorted().join(",")],
  ];
  const stated = derived.flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[prefix + name, value]],
  );
  return Object.fromEntries([...stated, ...Object.entries(execution.labels ?? {})]);
}
