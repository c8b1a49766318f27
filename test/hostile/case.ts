import type { ErrorCode, UnpackOptions } from "../../src/index.ts";
import { image, stored } from "../support/image.ts";
import type { RegistryDouble } from "../support/registry-double.ts";
import type { Place } from "./place.ts";

/** The classes of attack, as they are known from other programs (section 6 of the layer rules). */
export const attacks = {
  A: "writing through a link that the archive made",
  B: "changing attributes through a link",
  C: "replacing the root",
  D: "escaping by a whiteout",
  E: "racing with another process",
  F: "being run, or choosing what is run",
  G: "a digest that is a path",
  H: "exhausting memory, disk or time",
  I: "being read differently by different readers",
  J: "documents of two kinds at once",
  K: "making credentials go elsewhere",
  L: "leaving files open to other users",
  M: "owners that overflow",
  N: "files that a later step would trust",
  O: "names that a file system takes for equal",
  P: "devices and set-user-ID programs",
  Q: "names that collide with the program's own",
} as const;

export type Attack = keyof typeof attacks;

/** One hostile image. Whatever comes of it, no canary may change; what comes of it is said as well. */
export interface HostileCase {
  readonly attack: Attack;
  readonly name: string;
  /** Puts the image into a registry and gives the reference. */
  readonly serve: (registry: RegistryDouble, place: Place) => string;
  /** For the library, and as arguments for the command. */
  readonly options?: Pick<UnpackOptions, "limits" | "devices" | "keepDirlinks" | "bundle">;
  /** Arguments that only the command has. */
  readonly args?: readonly string[];
  /** "contained": unpacked, since what it says has a harmless meaning inside the root. */
  readonly outcome: "contained" | ErrorCode;
  /** Paths that a contained image's tree must have. */
  readonly holds?: (place: Place) => readonly string[];
  /** Looks at what else must, or must not, have happened. */
  readonly also?: (seen: Seen) => void;
}

/** What there is to look at when the command has ended. */
export interface Seen {
  readonly place: Place;
  readonly registry: RegistryDouble;
  /** What the command wrote, to standard output and standard error. */
  readonly printed: string;
}

type Layers = (place: Place) => readonly Uint8Array[];

/** An image that is refused with an error of that code. */
export function refused(attack: Attack, name: string, code: ErrorCode, layers: Layers): HostileCase {
  return { attack, name, outcome: code, serve: served(layers) };
}

/** An image that is unpacked with all of it inside; `holds` says where, relative to the root. */
export function contained(
  attack: Attack,
  name: string,
  layers: Layers,
  holds: (place: Place) => readonly string[] = () => [],
): HostileCase {
  return { attack, name, outcome: "contained", serve: served(layers), holds };
}

/** Serves layers as an ordinary image. */
export function served(layers: Layers): HostileCase["serve"] {
  return (registry, place) => stored(registry, "hostile/image", image(layers(place)));
}
