import { isAbsolute, join } from "node:path";
import { count, environment, type Kinds, path, pathOf } from "../base/option-checks.ts";
import type { AuthFileFormat } from "./auth-file.ts";

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The properties of a machine on which the paths of configuration files depend. The caller always passes them: this
 * library does not read the environment itself.
 */
export interface Machine {
  /** The variables that count, for example `process.env`. Nothing else is read from the environment. */
  readonly env: Environment;
  /** `os.homedir()`. */
  readonly homeDirectory: string | URL;
  /** `process.getuid()`. */
  readonly uid: number;
  /** The directory of the system's configuration. Default: `/etc`. */
  readonly systemDirectory?: string | URL | undefined;
}

/** A machine with paths instead of URLs. */
export interface SettledMachine extends Machine {
  readonly homeDirectory: string;
  readonly systemDirectory?: string | undefined;
}

export const machineKinds: Kinds<Machine> = {
  env: environment,
  homeDirectory: { words: path.words, isOne: (value) => value === "" || path.isOne(value) }, // as $HOME may be empty
  uid: count,
  systemDirectory: path,
};

/** The members that are required. */
export const machineNeeds = ["env", "homeDirectory", "uid"] as const;

/** The options with paths instead of URLs. */
export function settledMachine<Options extends Machine>(
  options: Options,
): Omit<Options, keyof Machine> & SettledMachine {
  const { homeDirectory, systemDirectory } = options;
  return {
    ...options,
    homeDirectory: homeDirectory instanceof URL ? pathOf("homeDirectory", homeDirectory) : homeDirectory,
    systemDirectory: systemDirectory && pathOf("systemDirectory", systemDirectory),
  };
}

/** A file that may hold credentials. */
export interface CredentialFile {
  readonly path: string;
  readonly format: AuthFileFormat;
  /** Whether the user named it, so that a warning is due if it is missing. */
  readonly named: boolean;
}

/**
 * The files that may have credentials, in the order in which they are read. The first one that has the registry counts.
 */
export function credentialFiles(machine: SettledMachine, authFile?: string): readonly CredentialFile[] {
  const { env, homeDirectory } = machine;
  return [
    ...file(authFile, { named: true }),
    ...file(env.REGISTRY_AUTH_FILE, { named: true }),
    ...file(env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, "config.json")),
    ...file(runtimeAuthFile(machine)),
    ...file(lastingAuthFile(machine)),
    // $DOCKER_CONFIG replaces ~/.docker.
    ...file(env.DOCKER_CONFIG ? undefined : join(homeDirectory, ".docker/config.json")),
    ...file(join(homeDirectory, ".dockercfg"), { format: "dockercfg" }),
  ];
}

/** podman's file for logins. It is gone after the next boot. */
export function runtimeAuthFile({ env, uid }: SettledMachine): string {
  const directory = env.XDG_RUNTIME_DIR;
  return directory && isAbsolute(directory)
    ? join(directory, "containers/auth.json")
    : `/run/containers/${uid}/auth.json`;
}

/** podman's other file for logins. It is not removed by a boot. */
export function lastingAuthFile(machine: SettledMachine): string {
  return join(configHome(machine), "containers/auth.json");
}

/** docker's configuration file. */
export function dockerConfigFile({ env, homeDirectory }: SettledMachine): string {
  return join(env.DOCKER_CONFIG || join(homeDirectory, ".docker"), "config.json");
}

/** `$XDG_CONFIG_HOME`, if it is absolute (XDG Base Directory Specification), or its default. */
export function configHome({ env, homeDirectory }: SettledMachine): string {
  const directory = env.XDG_CONFIG_HOME;
  return directory && isAbsolute(directory) ? directory : join(homeDirectory, ".config");
}

function file(path: string | undefined, { named = false, format = "config" as AuthFileFormat } = {}): CredentialFile[] {
  return path ? [{ path, format, named }] : [];
}
