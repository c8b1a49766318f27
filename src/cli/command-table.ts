import type { OptionTable, ValueKind } from "./option-spec.ts";
import {
  completionOptionTable,
  diffOptionTable,
  imageOptionTable,
  listOptionTable,
  loginOptionTable,
  logoutOptionTable,
  lookOptionTable,
  signaturesOptionTable,
  storeOptionTable,
  syncOptionTable,
  unpackOptionTable,
  verifyOptionTable,
} from "./option-tables.ts";

/** The words that an operand goes by in the usage and in messages, and what it is. */
export const operandKinds = {
  IMAGE: "image",
  IMAGE1: "image",
  IMAGE2: "image",
  DIRECTORY: "directory",
  PATH: "text",
  REGISTRY: "text",
  "list|verify|prune": ["list", "verify", "prune"],
  "bash|zsh|fish": ["bash", "zsh", "fish"],
} as const satisfies Readonly<Record<string, ValueKind>>;

/** What can stand on a command line besides options. */
export type Operand = keyof typeof operandKinds;

/** What the parser knows of a command. */
export interface CommandSpec {
  readonly options: OptionTable;
  readonly needed: readonly Operand[];
  readonly possible: readonly Operand[];
}

/**
 * All commands, with their options and operands. The parser, `--help`, the manual and completions are made from it.
 *
 * Unpacking needs no name of a command, but may have one.
 */
export const commandTable = {
  unpack: { options: unpackOptionTable, needed: ["IMAGE", "DIRECTORY"], possible: [] },
  login: { options: loginOptionTable, needed: ["REGISTRY"], possible: [] },
  logout: { options: logoutOptionTable, needed: ["REGISTRY"], possible: [] },
  store: { options: storeOptionTable, needed: ["list|verify|prune"], possible: [] },
  ls: { options: listOptionTable, needed: ["IMAGE"], possible: ["PATH"] },
  cat: { options: lookOptionTable, needed: ["IMAGE", "PATH"], possible: [] },
  inspect: { options: imageOptionTable, needed: ["IMAGE"], possible: [] },
  history: { options: lookOptionTable, needed: ["IMAGE"], possible: ["PATH"] },
  verify: { options: verifyOptionTable, needed: ["DIRECTORY"], possible: ["IMAGE"] },
  diff: { options: diffOptionTable, needed: ["IMAGE1", "IMAGE2"], possible: ["PATH"] },
  sync: { options: syncOptionTable, needed: ["DIRECTORY", "IMAGE"], possible: [] },
  signatures: { options: signaturesOptionTable, needed: ["IMAGE"], possible: [] },
  completion: { options: completionOptionTable, needed: ["bash|zsh|fish"], possible: [] },
} as const satisfies Readonly<Record<string, CommandSpec>>;

/** The name of a command. */
export type CommandName = keyof typeof commandTable;

/** The names of all commands; unpacking is the first. */
export const commandNames = Object.keys(commandTable) as readonly CommandName[];

/** The operands of a command as its usage shows them. */
export function operandsText({ needed, possible }: CommandSpec): string {
  return [...needed, ...possible.map((word) => `[${word}]`)].join(" ");
}

/** The options of all commands. */
export type OptionName = { [Name in CommandName]: keyof (typeof commandTable)[Name]["options"] & string }[CommandName];
