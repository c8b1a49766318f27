import type { OciUnpackError } from "../base/errors.ts";
import { boolean, type Kinds, text } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { type ResolveOptions, resolveKinds } from "../image/options.ts";
import { resolveManifest, resolveName } from "../image/resolve.ts";
import { resolvedEvent } from "../operation/image-layers.ts";
import { Operation } from "../operation/operation.ts";
import type { OperationResult } from "../operation/options.ts";
import type { StoredSignature } from "../trust/options.ts";

export interface SignaturesOptions extends ResolveOptions {
  /**
   * Takes an index as it is, instead of choosing a manifest from it: a signature of the index covers all that it lists, and
   * no other counts. Default: false.
   */
  readonly allPlatforms?: boolean;
  /**
   * The name that was asked for, where a tag of it was resolved to the digest by somebody else: a policy decides by this
   * name, as it would have for whoever asked. Default: the name itself.
   */
  readonly askedFor?: string;
}

const signaturesKinds: Kinds<SignaturesOptions> = { ...resolveKinds, allPlatforms: boolean, askedFor: text };

/** Who signed an image, and what is attested about it. */
export interface SignaturesResult extends Omit<OperationResult, "platform" | "layers"> {
  /** What is stored as a signature or attestation of the index, if there is one, and of the manifest. */
  readonly signatures: readonly StoredSignature[];
  /** The formats of signatures that are there too, and are not supported, such as "notation". */
  readonly otherFormats: readonly string[];
  /** With what other verbs would refuse the image; absent where what is demanded holds, or nothing is demanded. */
  readonly refusal?: OciUnpackError;
}

/**
 * Lists what is stored as signatures and attestations of an image, or of any other artifact, each with what comes of
 * verifying it by the option `trust`. No layer is asked for, and no configuration, unless an index says nothing of platforms.
 *
 * A demand that is not fulfilled is told in the result. What keeps signatures from being read is thrown.
 *
 * @throws OciUnpackError, or the reason of `options.signal`.
 */
export async function signatures(name: string, options: SignaturesOptions = {}): Promise<SignaturesResult> {
  await using operation = Operation.begin(name, options, signaturesKinds);
  const source = await operation.source();
  const { allPlatforms = false, askedFor } = options;
  const { resolveOptions } = operation;
  const chosen = await (allPlatforms ? resolveName(source, resolveOptions) : resolveManifest(source, resolveOptions));
  const { reference, digest } = chosen;
  const {
    signatures: found,
    otherFormats,
    refusal,
  } = await operation.review(source, chosen, resolvedEvent(chosen), askedFor);
  return {
    reference,
    digest,
    ...operation.verified,
    milliseconds: operation.tellFinished(digest),
    signatures: found,
    otherFormats,
    ...present({ refusal }),
  };
}
