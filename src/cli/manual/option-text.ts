import type { OptionName } from "../command-table.ts";

/** What an option is for. */
export interface OptionText {
  /** What its value is called. Absent: FILE, DIR, or the words that it can be. */
  readonly value?: string;
  /** One line of it, for whoever has to choose. */
  readonly brief: string;
  /** What follows that, up to the end of the sentence, with its punctuation; a line end is one in the text, too. */
  readonly more?: string;
}

/** Options that belong together. */
export interface OptionGroup {
  readonly title: string;
  /** What holds for all of them, in parentheses behind the title. */
  readonly note?: string;
  readonly options: Readonly<Partial<Record<OptionName, OptionText>>>;
}
