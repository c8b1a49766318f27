import { isWords } from "../command-line.ts";
import { type CommandName, commandTable, operandsText } from "../command-table.ts";
import type { OptionSpec, ValueKind } from "../option-spec.ts";
import type { AnyCommandText, ExitStatus } from "./command-text.ts";
import { commandTexts } from "./command-texts.ts";
import { generalOptions } from "./general-options.ts";
import type { OptionGroup, OptionText } from "./option-text.ts";

/** All that is told of a command, for whoever writes it out as help, as a manual's page, or for a shell. */
export interface CommandPage extends Omit<AnyCommandText, "usages" | "own" | "common" | "exitStatus"> {
  readonly command: CommandName;
  /** `oci-unpack ls [OPTIONS] IMAGE [PATH]`, the most usual first. */
  readonly usages: readonly string[];
  /** All options, in groups. */
  readonly groups: readonly PageGroup[];
  /** The options that are used most. */
  readonly common: readonly PageOption[];
  readonly exitStatus: ExitStatus | undefined;
}

interface PageGroup {
  readonly title: string;
  readonly note: string | undefined;
  readonly options: readonly PageOption[];
}

export interface PageOption {
  readonly name: string;
  readonly spec: OptionSpec;
  /** What its value is called; absent where it has none. */
  readonly value: string | undefined;
  /** One line of it. */
  readonly brief: string;
  /** All of it. */
  readonly text: string;
}

/** What is told of a command. */
export function commandPage(command: CommandName): CommandPage {
  const text: AnyCommandText = commandTexts[command];
  const { options: table } = commandTable[command];
  const word = command === "unpack" ? "[unpack]" : command;
  const usage = `oci-unpack ${word} [OPTIONS] ${operandsText(commandTable[command])}`;
  const groups = groupsOf(table, { title: `Options of oci-unpack ${command}`, options: text.own });
  const options = new Map(groups.flatMap((group) => group.options).map((option) => [option.name, option]));
  return {
    ...text,
    command,
    usages: [usage, ...(text.usages ?? [])],
    groups,
    common: text.common.flatMap((name) => options.get(name) ?? []),
    exitStatus: text.exitStatus,
  };
}

/** The options of a table: first those that the command explains itself, then those that it shares. */
function groupsOf(table: Readonly<Record<string, OptionSpec>>, own: OptionGroup): PageGroup[] {
  const told = new Set<string>();
  return [own, ...generalOptions].flatMap(({ title, note, options: texts }) => {
    const options = Object.entries(texts).flatMap(([name, text]) => {
      const spec = table[name];
      if (spec === undefined || told.has(name)) return [];
      told.add(name);
      return [pageOption(name, spec, text)];
    });
    return options.length === 0 ? [] : [{ title, note, options }];
  });
}

function pageOption(name: string, spec: OptionSpec, { value, brief, more = "" }: OptionText): PageOption {
  const repeated = spec.multiple === true ? "; may be repeated" : "";
  const valueName = value ?? (spec.value === undefined ? undefined : valueNameOf(spec.value));
  return { name, spec, value: valueName, brief, text: `${brief}${more}${repeated}` };
}

/** What a value is called if the text of its option does not say. */
function valueNameOf(kind: ValueKind): string {
  if (isWords(kind)) return kind.join("|");
  return typeof kind === "object" ? kind.someOf.join(",") : valueNames[kind];
}

const valueNames = {
  text: "VALUE",
  file: "FILE",
  directory: "DIR",
  image: "IMAGE",
  limit: "NAME=VALUE",
  policy: "FILE|machine",
  platform: "OS/ARCH[/VARIANT]",
  architecture: "ARCH",
  "operating system": "OS",
} as const satisfies Readonly<Record<Extract<ValueKind, string>, string>>;
