/** Environment variables, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the places of configuration files depend on. Always given, never looked up: a library reads no environment behind its caller's back. */
export interface Machine {
  readonly env: Environment;
  /** As `os.homedir()` says. */
  readonly homeDirectory: string;
  /** As `process.getuid()` says. */
  readonly uid: number;
  /** Where the system's configuration lies. Default: `/etc`. */
  readonly systemDirectory?: string | undefined;
}
