import type { ImageConfig } from "../oci/config.ts";
import { isObeyed } from "./obeyed-labels.ts";

/** What a bundle says of its image, and which labels it does not pass on. */
export interface Annotations {
  readonly annotations: Readonly<Record<string, string>>;
  /** A label is the image's, an annotation of these names an order to the runtime. */
  readonly leftOut: readonly string[];
}

/** What the config says of the image, as annotations of the container (image-spec, conversion.md, "Annotation Fields"). Labels win over what is derived. */
export function annotationsOf({ platform, execution, created, author }: ImageConfig): Annotations {
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
  const labels = Object.entries(execution.labels ?? {});
  return {
    annotations: Object.fromEntries([...stated, ...labels.filter(([name]) => !isObeyed(name))]),
    leftOut: labels.map(([name]) => name).filter(isObeyed),
  };
}
