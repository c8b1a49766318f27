import type { FailedSignature } from "../base/errors.ts";
import { paths, shape, texts } from "../base/option-checks.ts";
import type { SignerEvidence } from "./signer.ts";

/** What is demanded of an image before anything of its layers is fetched. */
export interface TrustOptions {
  /**
   * Public keys, of which one has to have signed the image: PEM, or the path or URL of a file with it. A key is enough; no
   * certificate and no log is asked for.
   */
  readonly keys?: readonly (string | URL)[];
  /**
   * The predicate types of the in-toto statements that have to be there, such as "https://slsa.dev/provenance/v1": each
   * signed by those who are named besides. No other signature is demanded then.
   */
  readonly attestations?: readonly string[];
}

/** A signature that was verified. */
export interface VerifiedSignature extends Pick<FailedSignature, "digest" | "of" | "format">, SignerEvidence {
  /** The types of the statements that were signed; absent for a simple signing. */
  readonly predicateTypes?: readonly string[];
  /** What these statements state, each as it came from JSON. */
  readonly predicates?: readonly unknown[];
}

/** What a caller may pass as the option `trust`. */
export const trustKind = shape<TrustOptions>({ keys: paths, attestations: texts });
