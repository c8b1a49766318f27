import type { CommandName, commandTable, OptionName } from "../command-table.ts";
import type { GeneralOption } from "./general-options.ts";
import type { OptionGroup, OptionText } from "./option-text.ts";

type OptionOf<Name extends CommandName> = keyof (typeof commandTable)[Name]["options"] & OptionName;

/** The options that a command explains itself: those that no other has, and those that mean something else here. */
type OwnOptions<Name extends CommandName> = {
  readonly [Option in Exclude<OptionOf<Name>, GeneralOption>]: OptionText;
} & { readonly [Option in OptionOf<Name>]?: OptionText };

/** What is told of any command. */
export interface AnyCommandText {
  /** One line of it, as in a list of commands. */
  readonly brief: string;
  /** Other usages than the one that its operands make. */
  readonly usages?: readonly string[];
  /** Paragraphs. The first is in the short help as well. */
  readonly about: readonly string[];
  readonly examples: readonly string[];
  /** The options that are told of here and not with those of all commands. */
  readonly own: OptionGroup["options"];
  /** The options that the short help lists. */
  readonly common: readonly OptionName[];
  /** What else there is to tell, behind the options. */
  readonly notes?: readonly Note[];
  /** What its exit status means, where that is another thing than done and failed. */
  readonly exitStatus?: ExitStatus;
}

/** What is told of a command, with its options and no others. */
export interface CommandText<Name extends CommandName> extends AnyCommandText {
  readonly own: OwnOptions<Name>;
  readonly common: readonly OptionOf<Name>[];
}

interface Note {
  readonly title: string;
  readonly about: readonly string[];
  readonly examples: readonly string[];
}

/** What exit statuses mean. */
export type ExitStatus = readonly (readonly [status: string, meaning: string])[];
