import { outOfResources } from "../base/system-error.ts";
import type { ErrorCode, ErrorDetails } from "../index.ts";
import { Interruption } from "./interrupt.ts";
import { exitCodes } from "./process-context.ts";

/** An error as the command reports it, as text or as JSON. */
export interface ErrorReport {
  readonly code: ErrorCode | "INTERRUPTED";
  readonly message: string;
  readonly hint: string | undefined;
  /** What the message tells, as facts; without any, absent. */
  readonly details?: ErrorDetails;
  readonly exitCode: number;
}

/** Errors in the command line. */
const usageCodes: ReadonlySet<string> = new Set<ErrorCode>(["INVALID_REFERENCE", "INVALID_PLATFORM", "INVALID_OPTION"]);

/** The report of anything that was thrown by a command, or by unpacking if no name is given. */
export function errorReportOf(thrown: unknown, command = ""): ErrorReport {
  if (thrown instanceof Interruption) {
    return { code: "INTERRUPTED", message: thrown.message, hint: undefined, exitCode: thrown.exitCode };
  }
  // A part of the program may be loaded late.
  const error = isCoded(thrown) ? thrown : (outOfResources(thrown, "go on") ?? thrown);
  if (isCoded(error)) {
    const exitCode = usageCodes.has(error.code) ? exitCodes.usage : exitCodes.failed;
    const failure = { code: error.code, message: messageOf(error), hint: hintOf(error, command), exitCode };
    const { details = {} } = error;
    return Object.keys(details).length === 0 ? failure : { ...failure, details };
  }
  return {
    code: "INTERNAL",
    message: `cannot go on: ${error instanceof Error ? error.message : String(error)}`,
    hint: nextStep.INTERNAL,
    exitCode: exitCodes.failed,
  };
}

/** The hint with flags of the command line in place of the library's options. */
function hintOf({ hint, code }: CodedError, command: string): string {
  if (hint !== undefined) return flags.reduce((text, [option, flag]) => text.replaceAll(option, flag), hint);
  if (code !== "INVALID_OPTION") return nextStep[code];
  return `${["oci-unpack", command, "--help all"].filter((word) => word !== "").join(" ")} lists the options`;
}

/** The message with a flag of the command line in place of the library's option. */
function messageOf({ message }: CodedError): string {
  // Linear: it matches at the beginning alone, and a word has no full stop.
  return message.replace(/^cannot use the option (\w+)(?:\.(\w+))?/, (_, option: string, member?: string) => {
    const whole = typed[`${option}.${member}`];
    if (whole !== undefined) return `cannot use ${whole}`;
    const flag = typed[option] ?? `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return `cannot use ${member === undefined ? flag : `${flag} ${member}`}`;
  });
}

/** Options of the library that have another name in the command line. */
const typed: Readonly<Record<string, string>> = {
  name: "IMAGE",
  name1: "IMAGE1",
  name2: "IMAGE2",
  secondPlatform: "--platform",
  directory: "DIRECTORY",
  destination: "-o",
  sourceDateEpoch: "SOURCE_DATE_EPOCH",
  limits: "--limit",
  authFile: "--authfile",
  hostsDirectory: "--hosts-dir",
  add: "--add-file",
  keepPaths: "--keep-path",
  "trust.keys": "--verify-key",
  "trust.identities": "--certificate-identity",
  "trust.trustedRoot": "--trusted-root",
  "trust.attestations": "--require-attestation",
  "trust.policy": "--policy",
};

/** Options and functions in the library's hints, and what they are in the command line. */
const flags: readonly (readonly [option: string, flag: string])[] = [
  ["`network.allowHosts`", "--allow-host"],
  ["`plainHttp`", "--plain-http"],
  ["`tls.ca`", "--tls-ca"],
  ["`trust.attestations`", "--require-attestation"],
  ["`tls.cert`", "--tls-cert"],
  ["`tls.key`", "--tls-key"],
  ["`platform`", "--platform"],
  ['`owner: "ignore"`', "--owner ignore"],
  ['`clone: "auto"`', "--clone auto"],
  ["`keep`", "--keep"],
  ["`verity`", "--verity"],
  ["`include`", "--include"],
  ["`exclude`", "--exclude"],
  ["`force`", "--force"],
  ['`overlay: "userxattr"`', "--overlay userxattr"],
  ["`mount`", "--mount"],
  ['`sandbox: "prefer"`', "--sandbox prefer"],
  ["`offline`", "--offline"],
  ["`exportRootfs`", "oci-unpack --output tar"],
  ["`unpackArtifact`", "oci-unpack --output files ARTIFACT DIRECTORY"],
  ["`unpack`", "oci-unpack IMAGE DIRECTORY"],
  ["`list`", "oci-unpack ls"],
  ["`login` with `authFile`", "oci-unpack login --authfile FILE"],
  ["`login` without `verifyLogin`", "--no-verify"],
];

interface CodedError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details?: ErrorDetails;
}

/** Checked by the name and not by the class, because errors are also reported if the library could not be loaded. */
function isCoded(error: unknown): error is CodedError {
  return error instanceof Error && (error.name === "OciUnpackError" || error.name === "UsageError") && "code" in error;
}

/** The hint for errors that have none of their own, in short what docs/errors.md says. */
export const nextStep: Readonly<Record<Exclude<ErrorCode, "INVALID_OPTION">, string>> = {
  INVALID_REFERENCE: "write it as [HOST[:PORT]/]PATH[:TAG][@DIGEST]",
  INVALID_PLATFORM: "write it as OS/ARCH[/VARIANT], for instance linux/arm64",
  CONFIGURATION: "correct the file that the message names, or name another",
  NOT_FOUND: "check the name",
  UNAUTHORIZED: "log in: oci-unpack login",
  CREDENTIALS_REJECTED: "log in again: oci-unpack login",
  FORBIDDEN: "ask the owner of the image for access",
  RATE_LIMITED: "wait, or log in: an account often has a larger quota",
  UNREACHABLE: "check the host's name and port, the network and the proxy settings",
  TIMEOUT: "try again; --explain tells what was waited for",
  CERTIFICATE: "trust the registry's authority with --tls-ca FILE, or have the certificate renewed",
  POLICY_DENIED: "if the host is meant to be trusted, allow it by name",
  REGISTRY_ERROR: "try again; if it persists, tell the registry's operator",
  INVALID_MANIFEST: "the image has to be pushed or saved again by a correct tool",
  INVALID_CONFIG: "the image has to be pushed or saved again by a correct tool",
  SIGNATURE_MISSING: "ask whoever publishes the image whether, and how, it is signed",
  SIGNATURE_INVALID: "check that the key is the one of whoever publishes the image",
  IDENTITY_MISMATCH: "check who publishes the image, and under which identity",
  ATTESTATION_MISSING: "ask whoever publishes the image which attestations there are",
  POLICY_REJECTED: "sign the image as the policy demands it, or choose another policy",
  UNSUPPORTED_MEDIA_TYPE: "convert the image, for instance with skopeo copy",
  NOT_AN_IMAGE: "fetch it as files: --output files; or name the image that the artifact belongs to",
  NOT_AN_ARTIFACT: "unpack it: do without --output files",
  PLATFORM_NOT_FOUND: "choose a platform with --platform; oci-unpack inspect lists them",
  UNSUPPORTED_DIGEST: "the image has to be pushed with sha256 digests",
  DIGEST_MISMATCH: "try again; if it persists, the image's copy is damaged: make it again",
  SIZE_MISMATCH: "try again; if it persists, the image's copy is damaged: make it again",
  DIFF_ID_MISMATCH: "the image has to be built again",
  CORRUPT_LAYER: "the image has to be built again",
  INVALID_ARCHIVE: "the archive is incomplete or damaged: make it again",
  ENTRY_REFUSED: "the image is broken or hostile: do not use it",
  LIMIT_EXCEEDED: "if you trust the image, raise the limit: --limit NAME=VALUE",
  STRICT_VIOLATION: "do without --strict, or have the image corrected",
  NOT_A_FILE: "name a file; oci-unpack ls lists them",
  TARGET_NOT_EMPTY: "name what does not exist yet",
  TARGET_UNUSABLE: "name a place where you may write",
  FILE_SYSTEM: "check the path and its permissions, or choose another file system",
  NO_SPACE: "make room, for bytes or for files (df -i), or choose another file system",
  OUT_OF_RESOURCES: "allow this process more memory and threads, or end others",
  SANDBOX_UNAVAILABLE: "use Linux 5.13 or newer with Landlock, or --sandbox prefer",
  UNSUPPORTED_SYSTEM: "install it again on this machine, or use another one",
  TOOL_MISSING: "install the program",
  TOOL_FAILED: "the program's message says what is wrong; if a size was given, a larger one may help",
  INTERNAL: "this is a defect of oci-unpack; NODE_DEBUG=oci-unpack shows where it happened",
};
