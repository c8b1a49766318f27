import { present } from "../base/present.ts";
import type { Platform, UnpackOptions } from "../index.ts";
import { type CommandLine, oneOf } from "./command-line.ts";
import { type ConnectionWishes, imageConnectionWishes } from "./connection-options.ts";
import type { HelpTopic } from "./help.ts";
import type { imageOptionTable } from "./option-tables.ts";
import type { Surroundings } from "./surroundings.ts";
import { UsageError } from "./usage-error.ts";

/** Questions that need no image. */
export type SmallCommand =
  | { readonly name: "help"; readonly topic: HelpTopic }
  | { readonly name: "version" | "limits" };

export type Verbosity = "quiet" | "normal" | "verbose";

/** What every command that concerns an image is told: which one is meant, how to get it, and what to print. */
export interface ImageWishes {
  readonly options: Pick<UnpackOptions, "platform" | "sandbox" | "strict" | "keepDirlinks" | "sourceDateEpoch">;
  readonly connection: ConnectionWishes;
  /** Where blobs are kept, if anywhere. */
  readonly store: string | undefined;
  /** Whether everything is to come from there. */
  readonly isOffline: boolean;
  /** Whose password to read from standard input. */
  readonly username: string | undefined;
  /** `NAME=VALUE`, judged once the library has said which limits there are. */
  readonly limits: readonly string[];
  readonly json: boolean;
  readonly verbosity: Verbosity;
  /** Whether the trail of decisions is told. */
  readonly explain: boolean;
}

/** A command that concerns an image. */
export interface ImageCommand extends ImageWishes {
  readonly image: string;
}

type ImageLine = CommandLine<typeof imageOptionTable>;

/** Reads the questions that are answered without an image: `--help` and its kin. */
export function smallCommand({ values }: ImageLine, topic: HelpTopic): SmallCommand | undefined {
  if (values.help) return { name: "help", topic };
  if (values.version) return { name: "version" };
  return values.limit?.includes("help") ? { name: "limits" } : undefined;
}

/** Reads what is said of the image, and not of what becomes of it. */
export function imageWishes({ values }: ImageLine, env: Surroundings["env"]): ImageWishes {
  return {
    options: present({
      platform: platform(values),
      sandbox: sandbox(values),
      strict: values.strict,
      keepDirlinks: values["keep-dirlinks"],
      sourceDateEpoch: sourceDateEpoch(env),
    }),
    connection: imageConnectionWishes(values),
    ...storeWishes(values, env),
    username: username(values),
    limits: limits(values),
    json: values.json ?? false,
    verbosity: verbosity(values),
    explain: values.explain ?? false,
  };
}

/** What has no value took the next word for its name: `--limit IMAGE DIRECTORY`. */
function limits({ limit = [] }: ImageLine["values"]): readonly string[] {
  const bare = limit.find((text) => !text.includes("="));
  if (bare === undefined) return limit;
  throw new UsageError(
    `cannot set a limit: NAME=VALUE is expected after --limit, found "${bare}"`,
    "for instance --limit totalBytes=10G; --limit help lists them",
  );
}

function platform(values: ImageLine["values"]): UnpackOptions["platform"] {
  const { platform: whole, arch, os } = values;
  if (arch === undefined && os === undefined) return whole;
  if (whole !== undefined) {
    throw new UsageError(
      `cannot choose a platform: --platform and ${arch === undefined ? "--os" : "--arch"} are both given`,
      "--platform OS/ARCH says it all",
    );
  }
  return present({ os, ...(arch === undefined ? {} : processor(arch)) });
}

/** `arm64`, or `arm/v7` with a variant. */
function processor(arch: string): Partial<Platform> {
  const [architecture = "", variant, ...surplus] = arch.split("/");
  if (architecture === "" || variant === "" || surplus.length > 0) {
    throw new UsageError(
      `cannot choose a platform: --arch is ARCH or ARCH/VARIANT, found "${arch}"`,
      "for instance --arch arm64, or --arch arm/v7",
    );
  }
  return present({ architecture, variant });
}

function sandbox(values: ImageLine["values"]): UnpackOptions["sandbox"] {
  const word = oneOf("--sandbox", values.sandbox, ["require", "prefer", "off"]);
  if (!values["can-skip-sandbox"]) return word;
  if (word !== undefined && word !== "prefer") {
    throw new UsageError(
      `cannot choose a sandbox: --sandbox ${word} and --can-skip-sandbox contradict each other`,
      "--can-skip-sandbox is short for --sandbox prefer",
    );
  }
  return "prefer";
}

/** https://reproducible-builds.org/specs/source-date-epoch/: an unreadable value is an error, not "now". */
function sourceDateEpoch(env: Surroundings["env"]): number | undefined {
  const text = env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(seconds)) return seconds;
  throw new UsageError(
    `cannot use SOURCE_DATE_EPOCH: a number of seconds since 1970 is expected, found "${text}"`,
    "unset it, or set it with SOURCE_DATE_EPOCH=$(date +%s)",
  );
}

function storeWishes(values: ImageLine["values"], env: Surroundings["env"]): Pick<ImageWishes, "store" | "isOffline"> {
  const store = storeDirectory(values.store, env);
  if (!values.offline || store !== undefined) return { store, isOffline: values.offline ?? false };
  throw new UsageError(
    "cannot go offline: there is no store that images could come from",
    "name it with --store DIR, or with OCI_UNPACK_STORE",
  );
}

/** The store that is meant: what the command line says, or else the environment. */
export function storeDirectory(option: string | undefined, env: Surroundings["env"]): string | undefined {
  const fromEnvironment = env.OCI_UNPACK_STORE;
  return option ?? (fromEnvironment === "" ? undefined : fromEnvironment);
}

function username(values: ImageLine["values"]): string | undefined {
  const wantsPassword = values["password-stdin"] ?? false;
  if (values.username !== undefined && !wantsPassword) {
    throw new UsageError(
      "cannot log in: --username is given without --password-stdin",
      "pipe the password: oci-unpack -u NAME --password-stdin … < FILE",
    );
  }
  if (values.username === undefined && wantsPassword) {
    throw new UsageError("cannot log in: --password-stdin is given without --username", "add -u NAME");
  }
  return values.username;
}

function verbosity(values: ImageLine["values"]): Verbosity {
  if (values.quiet && values.verbose) {
    throw new UsageError(
      "cannot be both quiet and verbose: --quiet and --verbose contradict each other",
      "leave one out",
    );
  }
  return values.quiet ? "quiet" : values.verbose ? "verbose" : "normal";
}
