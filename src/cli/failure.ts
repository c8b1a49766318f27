import type { ErrorCode } from "../index.ts";
import { Interruption } from "./interrupt.ts";
import { nextStep } from "./next-step.ts";
import { exitCodes } from "./surroundings.ts";

/** An error as the command tells it, in words or as JSON. */
export interface ErrorReport {
  readonly code: ErrorCode | "INTERRUPTED";
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

/** Errors that blame what was typed rather than the world. */
const usageCodes: ReadonlySet<string> = new Set<ErrorCode>(["INVALID_REFERENCE", "INVALID_PLATFORM", "INVALID_OPTION"]);

/** What to tell about anything that was thrown, by the command of that name or, without one, by an unpacking. */
export function failureOf(error: unknown, command = ""): ErrorReport {
  if (error instanceof Interruption) {
    return { code: "INTERRUPTED", message: error.message, hint: undefined, exitCode: error.exitCode };
  }
  if (isCoded(error)) {
    const exitCode = usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
    return { code: error.code, message: messageOf(error), hint: hintOf(error, command), exitCode };
  }
  return {
    code: "INTERNAL",
    message: `cannot go on: ${error instanceof Error ? error.message : String(error)}`,
    hint: nextStep.INTERNAL,
    exitCode: exitCodes.failed,
  };
}

/** The next step in words of the command line: what a hint of the library calls an option is a flag here. */
function hintOf({ hint, code }: CodedError, command: string): string {
  if (hint !== undefined) return flags.reduce((text, [option, flag]) => text.replaceAll(option, flag), hint);
  if (code !== "INVALID_OPTION") return nextStep[code];
  return `${["oci-unpack", command, "--help"].filter((word) => word !== "").join(" ")} lists the options`;
}

/** As it is typed what the library calls an option. */
function messageOf({ message }: CodedError): string {
  // Linear: it matches at the beginning alone, and a word has no full stop.
  return message.replace(/^cannot use the option (\w+)(?:\.(\w+))?/, (_, option: string, member?: string) => {
    const flag = typed[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return `cannot use ${member === undefined ? flag : `${flag} ${member}`}`;
  });
}

/** What is no flag of the option's name. */
const typed: Readonly<Record<string, string>> = {
  name: "IMAGE",
  directory: "DIRECTORY",
  destination: "-o",
  sourceDateEpoch: "SOURCE_DATE_EPOCH",
  limits: "--limit",
  authFile: "--authfile",
  hostsDirectory: "--hosts-dir",
};

/** As the library's hints write options and functions, and what is typed instead. */
const flags: readonly (readonly [option: string, flag: string])[] = [
  ["`network.allowHosts`", "--allow-host"],
  ["`plainHttp`", "--plain-http"],
  ["`tls.ca`", "--tls-ca"],
  ["`tls.cert`", "--tls-cert"],
  ["`tls.key`", "--tls-key"],
  ["`platform`", "--platform"],
  ['`owner: "ignore"`', "--owner ignore"],
  ['`overlay: "userxattr"`', "--overlay userxattr"],
  ["`mount`", "--mount"],
  ['`sandbox: "prefer"`', "--sandbox prefer"],
  ["`offline`", "--offline"],
  ["`list`", "oci-unpack ls"],
  ["`login` with `authFile`", "oci-unpack login --authfile FILE"],
  ["`login` without `verifyLogin`", "--no-verify"],
];

interface CodedError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
}

/** Told by name, not by class: an error must be reportable even where the library itself could not be loaded. */
function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && (error.name === "OciUnpackError" || error.name === "UsageError") && "code" in error;
}
