import { type CommandName, commandNames, commandTable, operandKinds } from "../command-table.ts";
import { commandPage, type PageOption } from "../manual/command-page.ts";
import { transports } from "../source-kind.ts";
import { type Offer, offerFor } from "./offers.ts";

/** A word that can stand first on a command line, and what can follow. */
export interface FirstWord {
  readonly word: string;
  readonly brief: string;
  readonly options: readonly PageOption[];
  /** What is offered for each operand, in their order, and what the operand is called. */
  readonly operands: readonly (readonly [name: string, offer: Offer])[];
}

/** All words that can stand first on a command line. */
export const firstWords: readonly FirstWord[] = [
  ...commandNames.map((command) => ofCommand(command, command)),
  ofCommand("pull", "unpack"),
  {
    word: "help",
    brief: "tell of a command",
    options: [],
    operands: [
      ["COMMAND", offerFor(commandNames)],
      ["all", offerFor(["all"])],
    ],
  },
  { word: "version", brief: "tell the version of oci-unpack", options: [], operands: [] },
];

function ofCommand(word: string, command: CommandName): FirstWord {
  const { brief, groups } = commandPage(command);
  const { needed, possible } = commandTable[command];
  const operands = [...needed, ...possible].map((name) => [name, offerFor(operandKinds[name])] as const);
  return { word, brief, options: groups.flatMap(({ options }) => options), operands };
}

/** An option that is the same in several commands. */
export interface SharedOption {
  readonly option: PageOption;
  /** What is offered for its value; absent where it has none. */
  readonly offer: Offer | undefined;
  readonly words: readonly string[];
}

/** Each option once, with the first words behind which it is known. */
export function sharedOptions(): readonly SharedOption[] {
  const byMeaning = new Map<string, { readonly option: PageOption; readonly words: string[] }>();
  for (const { word, options } of firstWords) {
    for (const option of options) {
      const key = JSON.stringify([option.name, option.brief, option.spec]);
      const known = byMeaning.get(key);
      if (known === undefined) byMeaning.set(key, { option, words: [word] });
      else known.words.push(word);
    }
  }
  return [...byMeaning.values()].map(({ option, words }) => {
    const kind = option.spec.value;
    return { option, offer: kind === undefined ? undefined : offerFor(kind), words };
  });
}

/** The patterns of images in such places, as in `oci:*`. */
export function transportPatterns(place: "directory" | "file"): string[] {
  return Object.entries(transports).flatMap(([name, each]) => (each === place ? [`${name}:*`] : []));
}

/** An option as it is typed, the long name first. */
export function flagsOf({ name, spec }: PageOption): string[] {
  return [`--${name}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])];
}

/**
 * Which values follow the flags, as patterns of `case` on `COMMAND:FLAG`, by what is offered for them. A flag that has
 * the same value in all commands is told of once.
 */
export function valuePatterns(): readonly (readonly [offer: Offer, patterns: readonly string[]])[] {
  const byOffer = new Map<string, readonly [offer: Offer, patterns: string[]]>();
  const options = sharedOptions();
  for (const { option, offer, words } of options) {
    if (offer === undefined) continue;
    const isSame = options.every((other) => {
      return other.option.name !== option.name || JSON.stringify(other.offer) === JSON.stringify(offer);
    });
    const commands = isSame ? ["*"] : words;
    const key = JSON.stringify(offer);
    const [, patterns] = byOffer.get(key) ?? byOffer.set(key, [offer, []]).get(key) ?? [offer, []];
    for (const command of commands) {
      for (const flag of flagsOf(option)) {
        const pattern = `${command}:${flag}`;
        if (!patterns.includes(pattern)) patterns.push(pattern);
      }
    }
  }
  return [...byOffer.values()];
}
