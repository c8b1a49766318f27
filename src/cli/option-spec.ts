/**
 * What the value of an option or an operand is. The parser holds whoever types to the words, and completions offer what
 * there is of each kind.
 */
export type ValueKind =
  | "text"
  | "file"
  | "directory"
  /** Where an image is: a name in a registry, or a place on this machine. */
  | "image"
  /** The name of a limit, and a number. */
  | "limit"
  /** A file, or the word `machine`. */
  | "policy"
  | "platform"
  | "architecture"
  | "operating system"
  /** One of these words. */
  | readonly string[]
  /** Some of these words, separated by commas. */
  | { readonly someOf: readonly string[] };

/** One option of a command. */
export interface OptionSpec {
  /** What its value is. Absent: it has none. */
  readonly value?: ValueKind;
  readonly short?: string;
  /** Whether it may be given several times. Otherwise the last one counts. */
  readonly multiple?: boolean;
  /**
   * The name that it had before, or that others give it. It is not taken, but whoever writes it is told the new one.
   */
  readonly formerly?: string;
}

/** The options of a command by their names. */
export type OptionTable = Readonly<Record<string, OptionSpec>>;
