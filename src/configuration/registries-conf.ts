/** podman's `registries.conf` (containers-registries.conf(5), version 2). */
export interface RegistriesConf {
  /** No two have the same prefix. */
  readonly registries: readonly ConfiguredRegistry[];
  /** Short names and the names that replace them, without tag and digest. */
  readonly aliases: ReadonlyMap<string, string>;
  /** The registries that podman would search for a short name. Here they only tell that a short name is ambiguous. */
  readonly unqualifiedSearchRegistries: readonly string[];
  readonly shortNameMode: "enforcing" | "permissive" | "disabled";
}

/** The configuration of all images whose names begin with a prefix. */
export interface ConfiguredRegistry {
  /** `host[:port][/path][:tag|@digest]`, or `*.host`. */
  readonly prefix: string;
  /** What replaces the prefix in the real name; `undefined` if the name stays as it is. */
  readonly location: string | undefined;
  readonly insecure: boolean;
  readonly blocked: boolean;
  readonly mirrors: readonly ConfiguredMirror[];
  /** The file that says so. */
  readonly origin: string;
}

export interface ConfiguredMirror {
  readonly location: string;
  readonly insecure: boolean;
  readonly pulls: MirrorUse;
}

/** Which images a mirror is for: those named by digest, those named by tag, or both. */
type MirrorUse = "all" | "digest-only" | "tag-only";

export const emptyRegistriesConf: RegistriesConf = {
  registries: [],
  aliases: new Map(),
  unqualifiedSearchRegistries: [],
  shortNameMode: "permissive",
};
