import { type Attack, attacks } from "../hostile/case.ts";

/** What defences are told apart by: the classes of attack, and what protects beside them. */
export const groups = {
  ...attacks,
  verification: "Against what is not what its digest says",
  sandbox: "Against code that a hostile layer has taken over",
  signatures: "Against an image that somebody else made",
  rules: "Against a layer that means something else than its builder saw",
  artifacts: "Against an artifact whose files would be anywhere else, or somebody else's",
} as const;

export type Group = Attack | "verification" | "sandbox" | "signatures" | "rules" | "artifacts";

/** One place in the source that keeps something from happening, and the test that fails where it is gone. */
export interface Defence {
  readonly group: Group;
  /** What it does, in a few words, for docs/safety.md. */
  readonly what: string;
  readonly file: string;
  /** Text that stands in the file exactly once, and what is left of it without the defence. */
  readonly without: readonly [text: string, rest: string];
  /** The file of the test below `test/`, and how its title begins, or a part of it. */
  readonly test: readonly [file: string, title: string];
}
