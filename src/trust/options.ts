import type { FailedSignature } from "../base/errors.ts";
import { paths, shape } from "../base/option-checks.ts";

/** What is demanded of an image before anything of its layers is fetched. */
export interface TrustOptions {
  /**
   * Public keys, of which one has to have signed the image: PEM, or the path or URL of a file with it. A key is enough; no
   * certificate and no log is asked for.
   */
  readonly keys?: readonly (string | URL)[];
}

/** A signature that was verified. */
export interface VerifiedSignature extends Pick<FailedSignature, "digest" | "of" | "format"> {
  /** The key that made it: `sha256:` and the digest of its SubjectPublicKeyInfo. */
  readonly key: string;
}

/** What a caller may pass as the option `trust`. */
export const trustKind = shape<TrustOptions>({ keys: paths });
