import type { EnvironmentOptions, IdMapping, Platform, UnpackOptions } from "../index.ts";
import { type CommandLine, oneOf, parseCommandLine } from "./command-line.ts";
import type { HelpTopic } from "./help.ts";
import { unpackOptionTable } from "./option-tables.ts";
import { type Destination, destination } from "./output-options.ts";
import type { Surroundings } from "./surroundings.ts";
import { UsageError } from "./usage-error.ts";

/** Questions that need no image. */
export type SmallCommand =
  | { readonly name: "help"; readonly topic: HelpTopic }
  | { readonly name: "version" | "limits" };

export type Verbosity = "quiet" | "normal" | "verbose";

/** How to talk to the registry, as far as the command line says. */
export type ConnectionWishes = Pick<
  EnvironmentOptions,
  "plainHttp" | "authFile" | "hostsDirectory" | "tlsCa" | "tlsCert" | "tlsKey" | "insecureSkipTlsVerify"
>;

/** What `oci-unpack IMAGE DIRECTORY` was asked to do. */
export interface UnpackCommand extends Destination {
  readonly name: "unpack";
  readonly options: Pick<
    UnpackOptions,
    | "platform"
    | "sandbox"
    | "owner"
    | "recordOwners"
    | "uidMap"
    | "gidMap"
    | "devices"
    | "strict"
    | "keepDirlinks"
    | "xattrInclude"
    | "xattrExclude"
    | "sourceDateEpoch"
  >;
  /** Whether the directory becomes a bundle for a container runtime, and whose. */
  readonly bundle: "none" | "for root" | "for this user";
  /** What the command line adds to this machine's configuration of registries. */
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

type UnpackLine = CommandLine<typeof unpackOptionTable>;

/** Reads the arguments of `oci-unpack IMAGE DIRECTORY`. */
export function parseUnpack(args: readonly string[], env: Surroundings["env"]): UnpackCommand | SmallCommand {
  const line = parseCommandLine(unpackOptionTable, args);
  if (line.values.help) return { name: "help", topic: "unpack" };
  if (line.values.version) return { name: "version" };
  if (line.values.limit?.includes("help")) return { name: "limits" };
  return unpackCommand(line, env);
}

function unpackCommand(line: UnpackLine, env: Surroundings["env"]): UnpackCommand {
  const { values } = line;
  return {
    name: "unpack",
    ...destination(line),
    options: definedOnly({
      platform: platform(values),
      sandbox: sandbox(values),
      owner: oneOf("--owner", values.owner, ["preserve", "ignore"]),
      recordOwners: values.rootless,
      uidMap: idMap("--uid-map", values["uid-map"]),
      gidMap: idMap("--gid-map", values["gid-map"]),
      devices: oneOf("--devices", values.devices, ["skip", "create", "placeholder", "error"]),
      strict: values.strict,
      keepDirlinks: values["keep-dirlinks"],
      xattrInclude: values["xattr-include"],
      xattrExclude: values["xattr-exclude"],
      sourceDateEpoch: sourceDateEpoch(env),
    }),
    bundle: bundle(values),
    connection: connection(values),
    ...storeWishes(values, env),
    username: username(values),
    limits: values.limit ?? [],
    json: values.json ?? false,
    verbosity: verbosity(values),
    explain: values.explain ?? false,
  };
}

function platform(values: UnpackLine["values"]): UnpackOptions["platform"] {
  const { platform: whole, arch, os } = values;
  if (arch === undefined && os === undefined) return whole;
  if (whole !== undefined) {
    throw new UsageError(
      `cannot choose a platform: --platform and ${arch === undefined ? "--os" : "--arch"} are both given`,
      "--platform OS/ARCH says it all",
    );
  }
  return { ...(os === undefined ? {} : { os }), ...(arch === undefined ? {} : processor(arch)) };
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
  return { architecture, ...(variant === undefined ? {} : { variant }) };
}

function sandbox(values: UnpackLine["values"]): UnpackOptions["sandbox"] {
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

function bundle(values: UnpackLine["values"]): UnpackCommand["bundle"] {
  if (!values.bundle) return "none";
  return values.rootless ? "for this user" : "for root";
}

/** `CONTAINER:HOST` for one id, `CONTAINER:HOST:SIZE` for as many, as umoci has it. */
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

function connection(values: UnpackLine["values"]): ConnectionWishes {
  if (values["tls-key"] !== undefined && values["tls-cert"] === undefined) {
    throw new UsageError(
      "cannot use --tls-key: there is no --tls-cert that it belongs to",
      "--tls-cert names the certificate; the same file may hold both",
    );
  }
  return definedOnly({
    plainHttp: values["plain-http"],
    authFile: values.authfile,
    hostsDirectory: values["hosts-dir"],
    tlsCa: values["tls-ca"],
    tlsCert: values["tls-cert"],
    tlsKey: values["tls-key"],
    insecureSkipTlsVerify: values["insecure-skip-tls-verify"],
  });
}

function storeWishes(
  values: UnpackLine["values"],
  env: Surroundings["env"],
): Pick<UnpackCommand, "store" | "isOffline"> {
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

function username(values: UnpackLine["values"]): string | undefined {
  const wantsPassword = values["password-stdin"] ?? false;
  if (values.username !== undefined && !wantsPassword) {
    throw new UsageError(
      "cannot log in: --username is given without --password-stdin",
      "pipe the password: oci-unpack -u NAME --password-stdin IMAGE DIRECTORY < FILE",
    );
  }
  if (values.username === undefined && wantsPassword) {
    throw new UsageError("cannot log in: --password-stdin is given without --username");
  }
  return values.username;
}

function verbosity(values: UnpackLine["values"]): Verbosity {
  if (values.quiet && values.verbose) {
    throw new UsageError("cannot be both quiet and verbose: --quiet and --verbose contradict each other");
  }
  return values.quiet ? "quiet" : values.verbose ? "verbose" : "normal";
}

/** An absent option and one that is `undefined` differ for the library (`exactOptionalPropertyTypes`). */
function definedOnly<T extends object>(options: T): { [Name in keyof T]?: Exclude<T[Name], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Name in keyof T]?: Exclude<T[Name], undefined>;
  };
}
