import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { SignaturesOptions, SignaturesResult, StoredSignature, VerifiedSignature } from "../index.ts";
import { type DecisionLog, failedJson, resultJson, writeLines, writeText } from "./command-output.ts";
import { givenCredential, openSource, type SourceLibrary } from "./connection.ts";
import { paintFor, recordingListener, withDisplay } from "./display.ts";
import { errorReportOf } from "./error-report.ts";
import type { ImageCommand } from "./image-options.ts";
import type { SignaturesData } from "./json-outputs.ts";
import { parseLimits } from "./limits.ts";
import { terseDisplay } from "./line-display.ts";
import { demandedTrust, type PolicyLibrary } from "./machine-policy.ts";
import { exitCodes, type ProcessContext } from "./process-context.ts";
import { errorLines } from "./report.ts";
import { safeJson, safeText } from "./safe-text.ts";
import { formatNames, momentText } from "./signature-lines.ts";
import type { SignaturesCommand, VerifierCommand } from "./signatures-options.ts";
import { UsageError } from "./usage-error.ts";

/** The functions of the library that are used here. */
export type SignaturesLibrary = SourceLibrary &
  PolicyLibrary &
  Pick<typeof Library, "signatures" | "parseReference" | "formatReference" | "defaultLimits">;

/** `oci-unpack signatures`, in each of its forms. */
export async function signaturesCommand(
  command: SignaturesCommand | VerifierCommand,
  context: ProcessContext,
  decisionLog: DecisionLog,
  library: SignaturesLibrary,
): Promise<number> {
  const circumstances = { context, decisionLog, library };
  return await (command.name === "signatures" ? list(command, circumstances) : decide(command, circumstances));
}

/** Lists what is stored as signatures, or prints what verified attestations state. */
async function list(command: SignaturesCommand, circumstances: Circumstances): Promise<number> {
  const result = await signaturesOf(command, circumstances);
  const { decisionLog, context } = circumstances;
  const { output, errors, env } = context;
  const { predicateType, json } = command;
  const { refusal } = result;
  if (predicateType !== undefined) {
    if (refusal !== undefined) throw refusal;
    writeLines(output, predicateLines(result, predicateType));
    return exitCodes.done;
  }
  if (json) writeText(output, resultJson(listData(result), decisionLog));
  else writeLines(output, listLines(result));
  if (refusal === undefined) return exitCodes.done;
  const failure = errorReportOf(refusal, command.name);
  if (command.verbosity === "events") errors.write(failedJson(failure));
  else errors.write(`${errorLines(failure, paintFor(errors, env)).join("\n")}\n`);
  return exitCodes.failed;
}

/**
 * Tells containerd whether an image may be pulled. The answer is the exit status, its reason the only line on standard
 * output.
 *
 * Only signatures of exactly that digest count: of an index, containerd may choose another manifest than would be chosen
 * here. Standard input, which has the descriptor with the same digest, is not read.
 */
async function decide(command: VerifierCommand, circumstances: Circumstances): Promise<number> {
  const { context, library } = circumstances;
  const named = { ...command, image: exactName(command, library) };
  const more = { allPlatforms: true, ...present({ askedFor: taggedName(command, library) }) };
  const { reference, verified = [], refusal } = await signaturesOf(named, circumstances, more);
  if (refusal !== undefined) throw refusal;
  const [first] = verified;
  const reason =
    first === undefined ? "the policy accepts it" : `${formatNames[first.format]} ${first.digest} is ${makerOf(first)}`;
  context.output.write(`${safeText(`${reference}: ${reason}`)}\n`);
  return exitCodes.done;
}

/** The name of what a digest is in a registry: the tag is not asked for. */
function exactName({ imageName, digest }: VerifierCommand, library: SignaturesLibrary): string {
  const { registry, path, tag, digest: named } = library.parseReference(imageName);
  if (named !== undefined && named !== digest) {
    throw new UsageError(`cannot decide about an image: -name has the digest ${named}, and -digest is ${digest}`);
  }
  const name = library.formatReference(present({ registry, path, tag }));
  return library.formatReference(library.parseReference(`${name}@${digest}`));
}

/** The name that containerd was asked for, if that is a tag: by this one a policy decides. */
function taggedName({ imageName }: VerifierCommand, library: SignaturesLibrary): string | undefined {
  const reference = library.parseReference(imageName);
  return reference.digest === undefined ? library.formatReference(reference) : undefined;
}

interface Circumstances {
  readonly context: ProcessContext;
  readonly decisionLog: DecisionLog;
  readonly library: SignaturesLibrary;
}

async function signaturesOf(
  command: ImageCommand,
  { context, decisionLog, library }: Circumstances,
  more: Pick<SignaturesOptions, "allPlatforms" | "askedFor"> = {},
): Promise<SignaturesResult> {
  const limits = parseLimits(command.limits, library.defaultLimits);
  const credential = await givenCredential(command, context);
  const display = terseDisplay(command, context, `looking for signatures of ${safeText(command.image)}`);
  return await withDisplay(display, async ({ show }, signal) => {
    const onEvent = recordingListener(show, command, decisionLog);
    await using source = await openSource({ command, context, limits, credential, onEvent }, library);
    const options = { ...command.options, ...(await demandedTrust(command, context, onEvent, library)), ...more };
    return await library.signatures(command.image, { ...options, limits, source, signal, onEvent });
  });
}

/** The list as data. What attestations state is in their predicates, which are printed by themselves. */
function listData({ reference, digest, signatures }: SignaturesResult): SignaturesData {
  const rows = signatures.map((each) => {
    const { of, format, key, identity, issuer, predicateType, loggedAtSeconds, timestampedAtSeconds, verdict, reason } =
      each;
    const told = { key, identity, issuer, predicateType, loggedAtSeconds, timestampedAtSeconds };
    return present({ digest: each.digest, of, format, ...told, verdict, reason });
  });
  return { reference, digest, signatures: rows };
}

/** One line for each verified statement of the type, in the order in which they were found. */
function predicateLines({ signatures }: SignaturesResult, wanted: string): string[] {
  return signatures
    .filter(({ verdict, predicateType }) => verdict === "verified" && predicateType === wanted)
    .map(({ predicate = null }) => safeJson(predicate));
}

/** The list for people: a line for each, and below it what is known of it. */
function* listLines({ reference, digest, signatures, otherFormats }: SignaturesResult): Iterable<string> {
  yield safeText(reference);
  yield `  ${digest}`;
  for (const each of signatures) {
    yield `${each.verdict.padEnd(12)}  ${formatNames[each.format].padEnd(14)}  ${each.digest}`;
    for (const fact of factsOf(each)) yield `${" ".repeat(14)}${safeText(fact)}`;
  }
  for (const format of otherFormats) yield `${"not verified".padEnd(12)}  ${safeText(format)}, which is not supported`;
  if (signatures.length === 0 && otherFormats.length === 0) yield "nothing is stored as a signature of it";
}

function factsOf(signature: StoredSignature): readonly string[] {
  const { of, key, identity, predicateType, loggedAtSeconds, timestampedAtSeconds, verdict, reason } = signature;
  const facts = {
    of: `of the ${of}`,
    by:
      key === undefined && identity === undefined
        ? undefined
        : `${verdict === "verified" ? "" : "says it is "}${makerOf(signature)}`,
    states: predicateType === undefined ? undefined : `states ${predicateType}`,
    logged: loggedAtSeconds === undefined ? undefined : `logged ${momentText(loggedAtSeconds)}`,
    stamped: timestampedAtSeconds === undefined ? undefined : `stamped ${momentText(timestampedAtSeconds)}`,
    reason,
  };
  return Object.values(present(facts)).filter((fact) => fact !== undefined);
}

/** Who made a signature, in words. */
function makerOf({ key, identity, issuer }: Pick<VerifiedSignature, "key" | "identity" | "issuer">): string {
  if (key !== undefined) return `by the key ${key}`;
  return issuer === undefined ? `by ${identity}` : `by ${identity} (${issuer})`;
}
