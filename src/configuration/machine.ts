import { count, either, type Kinds, object, path, pathOf, text } from "../base/option-checks.ts";

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The properties of a machine on which the paths of configuration files depend. The caller always passes them: this
 * library does not read the environment itself.
 */
export interface Machine {
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
  env: object,
  homeDirectory: either(text, path), // may be empty, as $HOME may
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
