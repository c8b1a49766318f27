import { fetchingOptions } from "./fetching-options.ts";
import { makingOptions } from "./making-options.ts";
import type { OptionGroup } from "./option-text.ts";

const groups = [...fetchingOptions, ...makingOptions] as const;

/** The options that mean the same in every command, group by group. */
export const generalOptions: readonly OptionGroup[] = groups;

type Keys<Union> = Union extends unknown ? keyof Union : never;

/** The name of an option that means the same in every command. */
export type GeneralOption = Keys<(typeof groups)[number]["options"]>;
