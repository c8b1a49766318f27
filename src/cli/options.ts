import { oneOf, refuseMisspeltCommand } from "./command-line.ts";
import { commandNames } from "./command-table.ts";
import { type CompletionCommand, parseCompletion } from "./completion-options.ts";
import { type DiffCommand, parseDiff } from "./diff-options.ts";
import { helpCommand, type SmallCommand } from "./image-options.ts";
import { type LoginCommand, type LogoutCommand, parseLogin, parseLogout } from "./login-options.ts";
import {
  type HistoryCommand,
  type LookCommand,
  parseHistory,
  parseLook,
  parseVerify,
  type VerifyCommand,
} from "./look-options.ts";
import type { ProcessContext } from "./process-context.ts";
import {
  asksAsContainerd,
  parseSignatures,
  type SignaturesCommand,
  type VerifierCommand,
} from "./signatures-options.ts";
import { parseStore, type StoreCommand } from "./store-options.ts";
import { parseSync, type SyncCommand } from "./sync-options.ts";
import { parseUnpack, type UnpackCommand } from "./unpack-options.ts";

/** A parsed command line. */
type Command =
  | SmallCommand
  | UnpackCommand
  | LoginCommand
  | LogoutCommand
  | StoreCommand
  | LookCommand
  | HistoryCommand
  | VerifyCommand
  | DiffCommand
  | SyncCommand
  | SignaturesCommand
  | VerifierCommand
  | CompletionCommand;

/**
 * Parses a command line. Throws a `UsageError` if it is wrong.
 *
 * The name of a command counts only as the first argument; an image called `login` is `docker.io/library/login`.
 * Unpacking needs no name of a command, but may have one.
 */
export function parseCommand(args: readonly string[], env: ProcessContext["env"]): Command {
  const [first, ...rest] = args;
  switch (first) {
    case "help":
      return parseHelp(rest);
    case "login":
      return parseLogin(rest);
    case "logout":
      return parseLogout(rest);
    case "store":
      return parseStore(rest, env);
    case "ls":
    case "cat":
    case "inspect":
      return parseLook(first, rest, env);
    case "history":
      return parseHistory(rest, env);
    case "verify":
      return parseVerify(rest, env);
    case "diff":
      return parseDiff(rest, env);
    case "sync":
      return parseSync(rest, env);
    case "signatures":
      return parseSignatures(rest, env);
    case "completion":
      return parseCompletion(rest);
    case "unpack":
    case "pull":
      return parseUnpack(rest, env);
    case "version":
      return { name: "version" };
    default:
      refuseMisspeltCommand(first);
      return parseUnpack(args, env);
  }
}

/** `help`, `help all`, `help ls` and `help ls all`. */
function parseHelp(words: readonly string[]): SmallCommand {
  const [topic = "unpack"] = words.filter((word) => word !== "all");
  return helpCommand(oneOf("oci-unpack help", topic, commandNames), words);
}

/** Whether a command line asks for JSON, also if it cannot be parsed, so that the error can be reported as JSON. */
export function asksForJson(args: readonly string[]): boolean {
  return asksFor("--json", args);
}

/** Whether it asks for events, for which the same holds. */
export function asksForEvents(args: readonly string[]): boolean {
  return asksFor("--json-events", args);
}

function asksFor(option: string, args: readonly string[]): boolean {
  const terminator = args.indexOf("--");
  return args.slice(0, terminator < 0 ? args.length : terminator).includes(option);
}

/** Whether it is containerd that asks, also if the command line cannot be parsed. */
export function asksForVerdict([first, ...rest]: readonly string[]): boolean {
  return first === "signatures" && asksAsContainerd(rest);
}
