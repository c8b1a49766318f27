/** What podman's `registries.conf` says (containers-registries.conf(5), version 2). */
export interface RegistriesConf {
  /** No two have the same prefix. */
  readonly registries: readonly ConfiguredRegistry[];
  /** Short names and what they stand for, without tag and digest. */
  readonly aliases: ReadonlyMap<string, string>;
  /** What podman would search for a short name; we only know from it that a short name is ambiguous. */
  readonly unqualifiedSearchRegistries: readonly string[];
  readonly shortNameMode: "enforcing" | "permissive" | "disabled";
}

/** What applies to the images whose names begin with a prefix. */
export interface ConfiguredRegistry {
  /** `host[:port][/path][:tag|@digest]`, or `*.host`. */
  readonly prefix: string;
  /** What stands instead of the prefix in the real name; `undefined` for the name as it is. */
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
