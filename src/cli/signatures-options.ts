import { parseCommandLine } from "./command-line.ts";
import {
  type ImageCommand,
  type ImageSettings,
  imageSettings,
  type SmallCommand,
  smallCommand,
} from "./image-options.ts";
import { operands } from "./look-options.ts";
import { signaturesOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

/** The arguments of `oci-unpack signatures`. */
export interface SignaturesCommand extends ImageCommand {
  readonly name: "signatures";
  /** The type of the statements whose predicates are printed, instead of a list of all. */
  readonly predicateType: string | undefined;
}

/** The arguments of `oci-unpack signatures` as containerd calls an image verifier. */
export interface VerifierCommand extends ImageSettings {
  readonly name: "image-verifier";
  /** The name that an image was asked for under. */
  readonly imageName: string;
  /** What it turned out to be, and what the question is about. */
  readonly digest: string;
}

/** Parses the arguments after `signatures`. */
export function parseSignatures(
  args: readonly string[],
  env: ProcessContext["env"],
): SignaturesCommand | VerifierCommand | SmallCommand {
  const line = parseCommandLine(signaturesOptionTable, args.map(verifierOption));
  const small = smallCommand(line, "signatures");
  if (small !== undefined) return small;
  const settings = imageSettings(line, env);
  if (asksAsContainerd(args)) return verifierCommand(settings, line.values, line.positionals);
  const [image] = operands("signatures", line.positionals);
  const { predicate: predicateType } = line.values;
  if (predicateType === undefined) return { ...settings, name: "signatures", image, predicateType };
  return { ...withAttestation(settings, predicateType), name: "signatures", image, predicateType };
}

/** The settings with the demand for an attestation: nobody is told what was not verified. */
function withAttestation(settings: ImageSettings, predicateType: string): ImageSettings {
  const { options, json } = settings;
  const { trust } = options;
  // A policy demands no attestation.
  if (trust === undefined || (trust.keys === undefined && trust.identities === undefined)) {
    throw new UsageError(
      "cannot print a predicate: it has to be verified, and nobody is named who attests",
      "name whoever does, as with --verify-key FILE",
    );
  }
  if (json) throw new UsageError("cannot print both: a predicate is JSON itself", "leave --json out");
  const attestations = [...(trust.attestations ?? []), predicateType];
  return { ...settings, options: { ...options, trust: { ...trust, attestations } } };
}

/** The options with which containerd calls an image verifier, which have one dash there. */
const verifierOptions = ["name", "digest", "stdin-media-type", "operation"] as const;

function verifierOption(argument: string): string {
  return verifierOptions.some((name) => argument === `-${name}` || argument.startsWith(`-${name}=`))
    ? `-${argument}`
    : argument;
}

/** Whether a command line is that of an image verifier, also if it cannot be parsed. */
export function asksAsContainerd(args: readonly string[]): boolean {
  return args.some((argument) => /^--?(?:name|digest)(?:=|$)/.test(argument));
}

type VerifierValues = ReturnType<typeof parseCommandLine<typeof signaturesOptionTable>>["values"];

function verifierCommand(
  settings: ImageSettings,
  { name: imageName, digest, predicate }: VerifierValues,
  positionals: readonly string[],
): VerifierCommand {
  const refuse = (found: string, hint: string) => new UsageError(`cannot decide about an image: ${found}`, hint);
  if (imageName === undefined) throw refuse("-name is missing", "containerd passes -name and -digest");
  if (digest === undefined) throw refuse("-digest is missing", "containerd passes -name and -digest");
  const [surplus] = positionals;
  if (surplus !== undefined)
    throw refuse(`unexpected argument "${surplus}"`, "the image is the one of -name and -digest");
  if (settings.options.trust === undefined) {
    throw refuse("nothing is demanded, so that every image would be accepted", "add for instance --verify-key FILE");
  }
  if (settings.json || predicate !== undefined || settings.username !== undefined) {
    throw refuse("what is printed and read is as containerd has it", "leave --json, --predicate and --username out");
  }
  return { ...settings, name: "image-verifier", imageName, digest };
}
