import type { ErrorCode } from "../../src/base/errors.ts";
import type { SkipReason, WarningCode } from "../../src/base/events.ts";
import type { ApplyOptions } from "../../src/layer/settings.ts";
import type { Item } from "../model/listing.ts";
import type { ExpectedTree } from "./expected.ts";

/** A rule about layers, as a case: these layers make that tree, or that error. */
export interface LayerRule {
  /** `W1` … `W29`, `T1` … `T29`, `H1` … `H16`, `M1` … `M23`, `S1` … `S25`, `D1` … `D20`; a rule may have several cases. */
  readonly rule: string;
  /** What a reader may rely on. */
  readonly claim: string;
  /** Archives, the bottom layer first. */
  readonly layers: readonly Uint8Array[];
  readonly options?: ApplyOptions;
  /** What comes out when repairs are allowed: a tree, or the code of an error. */
  readonly outcome: ExpectedTree | ErrorCode;
  /** What the tree has besides, as a listing: names and targets that are no text, one character for each byte. */
  readonly notText?: Readonly<Record<string, Item>>;
  /** The repairs and notes that are reported, each named once, in alphabetical order. */
  readonly warnings?: readonly WarningCode[];
  /** Why entries, or parts of them, are left out, each named once, in alphabetical order. */
  readonly skipped?: readonly SkipReason[];
  /** Which part of the rule speaks of an output that is not a directory, and is not tested here. */
  readonly elsewhere?: string;
  /** Why the tree cannot be made here. */
  readonly skip?: false | string;
  /** Looks at what a listing does not tell. */
  readonly also?: (rootfs: string) => void;
}

/** The notes that `strict` never turns into errors. */
const notes: readonly WarningCode[] = ["LINK_ATTRIBUTES", "WHITEOUT_WITHOUT_TARGET"];

/** What `strict` makes of a case: the same, unless something had to be repaired. */
export function strictOutcome({ outcome, warnings = [] }: LayerRule): ExpectedTree | ErrorCode {
  if (typeof outcome === "string") return outcome;
  return warnings.every((code) => notes.includes(code)) ? outcome : "STRICT_VIOLATION";
}
