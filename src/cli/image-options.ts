import { present } from "../base/present.ts";
import type { IdMapping, Platform, UnpackOptions } from "../index.ts";
import type { CommandLine } from "./command-line.ts";
import type { CommandName } from "./command-table.ts";
import { type ConnectionSettings, imageConnectionSettings } from "./connection-options.ts";
import type { imageOptionTable, verifyOptionTable } from "./option-tables.ts";
import type { ProcessContext } from "./process-context.ts";
import { UsageError } from "./usage-error.ts";

/** Commands that need no image. */
export type SmallCommand = HelpCommand | { readonly name: "version" | "limits" };

/** `--help`. */
interface HelpCommand {
  readonly name: "help";
  readonly topic: CommandName;
  /** Whether it is all that there is to tell, as after `--help all`. */
  readonly isWhole: boolean;
}

/** What standard error gets: nothing but errors; what people have to know; that and more; or each event, for programs. */
export type Verbosity = "quiet" | "normal" | "verbose" | "events";

/** The options of every command with an image: which image, how to fetch it, and what to print. */
export interface ImageSettings {
  readonly options: Pick<
    UnpackOptions,
    "platform" | "sandbox" | "threads" | "strict" | "keepDirlinks" | "sourceDateEpoch" | "trust" | "partial"
  >;
  readonly connection: ConnectionSettings;
  /** The directory of the store, if there is one. */
  readonly store: string | undefined;
  /** Whether everything has to come from the store. */
  readonly isOffline: boolean;
  /** Whether the store keeps indexes of layers. */
  readonly hasIndexes: boolean;
  /** The user whose password is read from standard input. */
  readonly username: string | undefined;
  /** `NAME=VALUE`. They are checked when the library is loaded, which knows the limits. */
  readonly limits: readonly string[];
  readonly json: boolean;
  readonly verbosity: Verbosity;
  /** Whether the decisionLog of decisions is told. */
  readonly explain: boolean;
}

/** A command with an image. */
export interface ImageCommand extends ImageSettings {
  readonly image: string;
}

type ImageLine = CommandLine<typeof imageOptionTable>;

/** The command if an option such as `--help` asks for something that needs no image. */
export function smallCommand({ values, positionals }: ImageLine, topic: CommandName): SmallCommand | undefined {
  if (values.help) return helpCommand(topic, positionals);
  if (values.version) return { name: "version" };
  return values.limit?.includes("help") ? { name: "limits" } : undefined;
}

/** What is told of a command; `--help all` has an argument of its own. */
export function helpCommand(topic: CommandName, positionals: readonly string[]): HelpCommand {
  return { name: "help", topic, isWhole: positionals.includes("all") };
}

/** The options for the image, without those for its files. */
export function imageSettings({ values }: ImageLine, env: ProcessContext["env"]): ImageSettings {
  return {
    options: present({
      platform: platform(values),
      sandbox: sandbox(values),
      threads: threads(values.threads),
      strict: values.strict,
      trust: trust(values),
      keepDirlinks: values["keep-dirlinks"],
      sourceDateEpoch: sourceDateEpoch(env),
      partial: "partial" in values && values.partial === true ? true : undefined,
    }),
    connection: imageConnectionSettings(values),
    ...storeSettings(values, env),
    username: username(values),
    limits: limits(values),
    json: values.json ?? false,
    verbosity: verbosity(values),
    explain: values.explain ?? false,
  };
}

/** What is demanded of signatures and attestations. */
function trust(values: ImageLine["values"]): UnpackOptions["trust"] {
  const demanded = present({
    keys: values["verify-key"],
    identities: identities(values),
    trustedRoot: values["trusted-root"],
    attestations: values["require-attestation"],
    policy: values.policy,
  });
  return Object.keys(demanded).length === 0 ? undefined : demanded;
}

/** Who has to have signed with a certificate: an identity and who vouches for it, each exactly or by an expression. */
function identities(values: ImageLine["values"]): NonNullable<UnpackOptions["trust"]>["identities"] {
  const { "certificate-identity": identity, "certificate-identity-regexp": identityRegexp } = values;
  const { "certificate-oidc-issuer": issuer, "certificate-oidc-issuer-regexp": issuerRegexp } = values;
  const count = (...given: readonly (string | undefined)[]) => given.filter((each) => each !== undefined).length;
  const [names, issuers] = [count(identity, identityRegexp), count(issuer, issuerRegexp)];
  if (names + issuers === 0) return undefined;
  if (names !== 1 || issuers !== 1) {
    const option = names === 1 ? "--certificate-oidc-issuer" : "--certificate-identity";
    const found = (names === 1 ? issuers : names) === 0 ? "neither is given" : "both are given";
    throw new UsageError(
      `cannot demand an identity: ${option} or ${option}-regexp is expected, and ${found}`,
      "an identity is a name and who vouches for it: one option of each kind is needed",
    );
  }
  return [present({ identity, identityRegexp, issuer, issuerRegexp })];
}

/** The limits. One without a value is an error: in `--limit IMAGE DIRECTORY` the limit was forgotten. */
export function limits({ limit = [] }: Pick<ImageLine["values"], "limit">): readonly string[] {
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
  const { sandbox: word } = values;
  if (!values["can-skip-sandbox"]) return word;
  if (word !== undefined && word !== "prefer") {
    throw new UsageError(
      `cannot choose a sandbox: --sandbox ${word} and --can-skip-sandbox contradict each other`,
      "--can-skip-sandbox is short for --sandbox prefer",
    );
  }
  return "prefer";
}

function threads(text: string | undefined): number | undefined {
  if (text === undefined || /^[1-9]\d{0,3}$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new UsageError(
    `cannot use --threads: a number from 1 on is expected, found "${text}"`,
    "for instance --threads 8; without it, all processors are used",
  );
}

/** https://reproducible-builds.org/specs/source-date-epoch/: an invalid value is an error. */
function sourceDateEpoch(env: ProcessContext["env"]): number | undefined {
  const text = env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === "") return undefined;
  const seconds = Number(text);
  if (/^-?\d+$/.test(text) && Number.isSafeInteger(seconds)) return seconds;
  throw new UsageError(
    `cannot use SOURCE_DATE_EPOCH: a number of seconds since 1970 is expected, found "${text}"`,
    "unset it, or set it with SOURCE_DATE_EPOCH=$(date +%s)",
  );
}

function storeSettings(
  values: ImageLine["values"],
  env: ProcessContext["env"],
): Pick<ImageSettings, "store" | "isOffline" | "hasIndexes"> {
  const store = storeDirectory(values.store, env);
  const { offline: isOffline = false, "no-index": hasNoIndexes = false } = values;
  if (!isOffline || store !== undefined) return { store, isOffline, hasIndexes: !hasNoIndexes };
  throw new UsageError(
    "cannot go offline: there is no store that images could come from",
    "name it with --store DIR, or with OCI_UNPACK_STORE",
  );
}

/** The directory of the store, from the command line or else from the environment. */
export function storeDirectory(option: string | undefined, env: ProcessContext["env"]): string | undefined {
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
  if (!values["json-events"]) return values.quiet ? "quiet" : values.verbose ? "verbose" : "normal";
  const other = values.quiet ? "--quiet" : values.verbose ? "--verbose" : undefined;
  if (other === undefined) return "events";
  throw new UsageError(
    `cannot tell events: --json-events and ${other} contradict each other`,
    "leave one out: with --json-events every event is told, and nothing else",
  );
}

/** The options for an image's files. */
export type FilesSettings = Pick<
  UnpackOptions,
  "include" | "exclude" | "owner" | "recordOwners" | "uidMap" | "gidMap" | "devices" | "xattrInclude" | "xattrExclude"
>;

/** The options for the files. */
export function filesSettings({ values }: CommandLine<typeof verifyOptionTable>): FilesSettings {
  return present({
    include: values.include,
    exclude: values.exclude,
    owner: values.owner,
    recordOwners: values.rootless,
    uidMap: idMap("--uid-map", values["uid-map"]),
    gidMap: idMap("--gid-map", values["gid-map"]),
    devices: values.devices,
    xattrInclude: values["xattr-include"],
    xattrExclude: values["xattr-exclude"],
  });
}

/** `CONTAINER:HOST` for one id, `CONTAINER:HOST:SIZE` for several, as in umoci. */
function idMap(option: string, texts: readonly string[] | undefined): readonly IdMapping[] | undefined {
  return texts?.map((text) => {
    const [, containerID, hostID, size = "1"] = /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/.exec(text) ?? [];
    if (containerID !== undefined && hostID !== undefined) {
      return { containerID: Number(containerID), hostID: Number(hostID), size: Number(size) };
    }
    throw new UsageError(
      `cannot use ${option}: CONTAINER:HOST:SIZE is expected, found "${text}"`,
      `for instance ${option} 0:100000:65536`,
    );
  });
}
