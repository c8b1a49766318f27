import { defaultLimits } from "../../base/limits.ts";
import { isWords } from "../command-line.ts";
import type { ValueKind } from "../option-spec.ts";

/** What a shell offers for a value. */
export interface Offer {
  readonly words: readonly string[];
  /** Whether several of the words can be given, with commas between them. */
  readonly isList: boolean;
  /** Which paths are offered. `images` are places of images, and the beginnings of such. */
  readonly paths: "none" | "files" | "directories" | "images";
}

const nothing: Offer = { words: [], isList: false, paths: "none" };

/** What is offered for a kind of value. */
export function offerFor(kind: ValueKind): Offer {
  if (isWords(kind)) return { ...nothing, words: kind };
  return typeof kind === "object" ? { ...nothing, words: kind.someOf, isList: true } : offers[kind];
}

/** What Go calls the processors and systems that images are made for, and Docker Hub has. */
const architectures = ["amd64", "arm64", "arm/v7", "arm/v6", "386", "ppc64le", "s390x", "riscv64", "loong64"] as const;

const offers = {
  text: nothing,
  file: { ...nothing, paths: "files" },
  directory: { ...nothing, paths: "directories" },
  image: { ...nothing, paths: "images" },
  limit: { ...nothing, words: Object.keys(defaultLimits).map((name) => `${name}=`) },
  policy: { ...nothing, words: ["machine"], paths: "files" },
  platform: { ...nothing, words: architectures.map((architecture) => `linux/${architecture}`) },
  architecture: { ...nothing, words: architectures },
  "operating system": { ...nothing, words: ["linux", "windows"] },
} as const satisfies Readonly<Record<Extract<ValueKind, string>, Offer>>;
