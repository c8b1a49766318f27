import { type CommandName, commandNames } from "../command-table.ts";
import { type CommandPage, commandPage, type PageOption } from "./command-page.ts";
import { commandTexts } from "./command-texts.ts";
import { manualName } from "./help-text.ts";
import { bold, definitions, italic, nameLine, paragraphs, section, subsection, typed } from "./roff.ts";
import { environment, exitStatus, signalStatus } from "./surroundings.ts";

/** When and for which version pages are written. */
interface Edition {
  readonly version: string;
  readonly date: Date;
}

/** The pages of the manual by the names of their files: one for each command. */
export function manualPages(edition: Edition): ReadonlyMap<string, string> {
  return new Map(commandNames.map((command) => [`${manualName(command)}.1`, manualPage(command, edition)]));
}

function manualPage(command: CommandName, { version, date }: Edition): string {
  const page = commandPage(command);
  const name = manualName(command);
  const parts = [
    `.\\" Written by the build of oci-unpack from the tables of its command line.`,
    `.TH ${name.toUpperCase()} 1 ${date.toISOString().slice(0, 10)} "oci-unpack ${version}" "oci-unpack"`,
    section("name", nameLine(name, page.brief)),
    section("synopsis", page.usages.map(usage).join("\n.br\n")),
    section("description", paragraphs(page.about)),
    ...(command === "unpack" ? [section("commands", definitions(commandList()))] : []),
    section("options", ...page.groups.flatMap(groupLines)),
    ...(page.notes ?? []).map(({ title, about, examples }) =>
      section(title, paragraphs(about), ".PP", typed(examples)),
    ),
    section("environment", definitions(environment.map(([variable, meaning]) => [bold(variable), meaning]))),
    section("exit status", definitions(statuses(page).map(([status, meaning]) => [bold(status), meaning]))),
    section("examples", typed(page.examples)),
    section("see also", seeAlso(command)),
  ];
  return `${parts.join("\n")}\n`;
}

/** A usage: what is typed as it is stands first. */
function usage(text: string): string {
  const [program = "", ...words] = text.split(" ");
  const rest = words.map((word) => (/[A-Z…|]/.test(word) && !word.startsWith("--") ? italic(word) : bold(word)));
  return [bold(program), ...rest].join(" ");
}

function commandList(): (readonly [term: string, meaning: string])[] {
  return commandNames
    .filter((name) => name !== "unpack")
    .map((name) => [`${bold(manualName(name))}(1)`, commandTexts[name].brief]);
}

function groupLines({ title, note, options }: CommandPage["groups"][number]): string[] {
  const introduction = note === undefined ? [] : [paragraphs([`(${note})`])];
  return [subsection(title, ...introduction, definitions(options.map((option) => [optionTerm(option), option.text])))];
}

function optionTerm({ name, spec, value }: PageOption): string {
  const short = spec.short === undefined ? "" : `${bold(`-${spec.short}`)}, `;
  return `${short}${bold(`--${name}`)}${value === undefined ? "" : ` ${italic(value)}`}`;
}

function statuses(page: CommandPage): (readonly [status: string, meaning: string])[] {
  return [...(page.exitStatus ?? exitStatus), ...signalStatus];
}

function seeAlso(command: CommandName): string {
  const others = commandNames.filter((name) => name !== command).map((name) => `${bold(manualName(name))}(1)`);
  return others.join(",\n");
}
