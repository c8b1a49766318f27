import { count, either, type Kinds, object, path, pathOf, text } from "../base/option-checks.ts";

/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the places of configuration files depend on. Always given, never looked up: a library reads no environment
 * behind its caller's back.
 */
export interface Machine {
  readonly env: Environment;
  /** As `os.homedir()` says. */
  readonly homeDirectory: string | URL;
  /** As `process.getuid()` says. */
  readonly uid: number;
  /** Where the system's configuration lies. Default: `/etc`. */
  readonly systemDirectory?: string | URL | undefined;
}

/** The same with the paths that URLs stood for. */
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

/** Those without which nothing can be found. */
export const machineNeeds = ["env", "homeDirectory", "uid"] as const;

/** Options with the paths that URLs stand for. */
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
