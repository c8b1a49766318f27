import { type CommandName, commandNames } from "../command-table.ts";
import { type CommandPage, commandPage, type PageOption } from "./command-page.ts";
import { commandTexts } from "./command-texts.ts";
import { environment, exitStatus, signalStatus } from "./surroundings.ts";
import { wrapped } from "./wrapped.ts";

/** What `--help` says of a command: what is used most, or, with `--help all`, everything. */
export function helpText(command: CommandName, { isWhole }: { readonly isWhole: boolean }): string {
  const page = commandPage(command);
  return `${(isWhole ? wholeHelp(page) : shortHelp(page)).join("\n\n")}\n`;
}

/** The blocks of the short help. It fits on two screens of 24 lines. */
function shortHelp(page: CommandPage): string[] {
  const { command, about, common, exitStatus: own } = page;
  const [first = ""] = about;
  const isMain = command === "unpack";
  return [
    usage(page),
    wrapped(first),
    ...examples(page.examples),
    ...(isMain ? [`Commands\n${commandList()}`] : []),
    `${isMain ? "Options\n" : ""}${common.map((option) => optionLines(option, option.brief)).join("\n")}`,
    ...(own === undefined || isMain ? [] : [statusList(own)]),
    wrapped(`${call(command)} --help all, and man ${manualName(command)}, tell the rest.`),
  ];
}

/** The blocks of the whole help. */
function wholeHelp(page: CommandPage): string[] {
  const { command, about, groups, notes = [] } = page;
  return [
    usage(page),
    ...about.map((paragraph) => wrapped(paragraph)),
    ...examples(page.examples),
    ...(command === "unpack" ? [`Commands (oci-unpack COMMAND --help)\n${commandList()}`] : []),
    ...groups.map(({ title, note, options }) => {
      const heading = wrapped(note === undefined ? title : `${title} (${note})`);
      return `${heading}\n${options.map((option) => optionLines(option, option.text)).join("\n")}`;
    }),
    ...notes.flatMap(({ title, about, examples: own }) => [
      title,
      ...about.map((paragraph) => wrapped(paragraph)),
      ...examples(own),
    ]),
    `Environment\n${pairs(environment, 25)}`,
    statusList([...(page.exitStatus ?? exitStatus), ...signalStatus]),
  ];
}

function usage({ usages }: CommandPage): string {
  return usages.map((each, index) => `${index === 0 ? "Usage: " : "       "}${each}`).join("\n");
}

function examples(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [lines.map((line) => `  ${line.replaceAll("\n", "\n  ")}`).join("\n")];
}

function commandList(): string {
  return pairs(
    commandNames.filter((name) => name !== "unpack").map((name) => [name, commandTexts[name].brief]),
    14,
  );
}

function statusList(statuses: readonly (readonly [string, string])[]): string {
  return `Exit status\n${pairs(statuses, 5)}`;
}

/** Words with their meanings, which begin at a column. */
function pairs(list: readonly (readonly [string, string])[], column: number): string {
  return list.map(([word, meaning]) => entry(`  ${word}`, meaning, column)).join("\n");
}

const optionColumn = 25;

function optionLines(option: PageOption, text: string): string {
  const { name, spec, value } = option;
  const short = spec.short === undefined ? "    " : `-${spec.short}, `;
  return entry(`  ${short}--${name}${value === undefined ? "" : ` ${value}`}`, text, optionColumn);
}

/** What is explained, and behind it, or below where it is too long, the explanation. */
function entry(head: string, text: string, column: number): string {
  const isLong = head.length + 1 > column;
  const beginning = isLong ? `${head}\n${" ".repeat(column)}` : head.padEnd(column);
  return `${beginning}${wrapped(text, { indent: column })}`;
}

/** How a command is called. */
function call(command: CommandName): string {
  return command === "unpack" ? "oci-unpack" : `oci-unpack ${command}`;
}

/** The name of a command's page in the manual. */
export function manualName(command: CommandName): string {
  return command === "unpack" ? "oci-unpack" : `oci-unpack-${command}`;
}
