import type { EventListener } from "../base/events.ts";
import type { Limits } from "../base/limits.ts";
import {
  boolean,
  callback,
  either,
  type Kinds,
  limitsKind,
  positive,
  promise,
  shape,
  signal,
  source,
  text,
  word,
} from "../base/option-checks.ts";
import { type SandboxPolicy, sandboxPolicies } from "../base/option-words.ts";
import type { Source } from "../blob/image-source.ts";
import type { ImageConfig } from "../oci/config.ts";
import type { Digest } from "../oci/digest.ts";
import type { Manifest } from "../oci/document.ts";
import { type Platform, platformKinds } from "../oci/platform.ts";
import { type TrustOptions, trustKind, type VerifiedSignature } from "../trust/options.ts";

/** How to choose and fetch an image. */
export interface ResolveOptions {
  /**
   * `os/architecture[/variant]`, or the parts one wants other than this machine's. Default: this machine's platform.
   */
  readonly platform?: string | Partial<Platform>;
  /**
   * Where images come from. Default: a registry client made for this call, anonymous. A source given here stays open;
   * one that is still being made may be given as a promise, so that other things begin meanwhile.
   */
  readonly source?: Source | Promise<Source>;
  /** Ends everything at once; the promise rejects with the signal's own reason. */
  readonly signal?: AbortSignal;
  /** Receives what happens, as it happens; what it throws ends the call. */
  readonly onEvent?: EventListener;
  /** Turns every lenient repair into an error. Default: false. */
  readonly strict?: boolean;
  /** Overrides single limits. */
  readonly limits?: Partial<Limits>;
  /** Who has to have signed the image, before the first byte of a layer is asked for. Default: nobody. */
  readonly trust?: TrustOptions;
  /**
   * Decides whether an image may be fetched: called when its documents are known and verified, before the first byte of
   * a layer is asked for. What it throws ends the call with that error, and nothing is left behind.
   */
  readonly approve?: (image: ResolvedImage) => void | Promise<void>;
  /**
   * Whether the threads that touch image bytes must, should or need not be confined by Landlock. Default: "require" on
   * Linux, "prefer" elsewhere, where there is no Landlock.
   */
  readonly sandbox?: SandboxPolicy;
  /**
   * For how many processors the work is divided: from 4 on, further threads decompress large gzip layers together, and
   * make the files of an unpacked image together; of a small image, too, where this is stated. Default: as many as this
   * process may use.
   */
  readonly threads?: number;
}

/** An image or an artifact as its documents say, for a decision about it. */
export interface ResolvedImage {
  /** The canonical name of what was asked for. */
  readonly reference: string;
  /** The digest of the manifest; of the index, where a copy takes all platforms. */
  readonly digest: Digest;
  /** The digest of the index that led to the manifest, if the name stands for one. */
  readonly indexDigest?: Digest;
  /** The digests of all manifests, where a copy takes all platforms. */
  readonly instances?: readonly Digest[];
  /** Absent where a copy takes all platforms, as the next two are. An artifact need not have one. */
  readonly platform?: Platform;
  readonly manifest?: Manifest;
  /** Absent for an artifact, too. */
  readonly config?: ImageConfig;
  /** The signatures that were verified, where any was demanded. */
  readonly verified?: readonly VerifiedSignature[];
}

export const resolveKinds: Kinds<ResolveOptions> = {
  platform: either(text, shape(platformKinds)),
  source: either(source, promise),
  signal,
  onEvent: callback,
  strict: boolean,
  limits: limitsKind,
  trust: trustKind,
  approve: callback,
  sandbox: word(...sandboxPolicies),
  threads: positive,
};
