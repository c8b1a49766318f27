import { OciUnpackError } from "../../base/errors.ts";
import type { FetchOptions } from "../../base/events.ts";
import type { ImagePlace, ImageSource } from "../../blob/image-source.ts";
import type { Reference } from "../../oci/reference.ts";
import type { Demand } from "../demand.ts";
import type { TrustPolicy } from "./policy.ts";
import { requiredSigner } from "./required-signer.ts";
import type { Requirement, SigstoreSigned } from "./requirement.ts";
import { type Match, requirementsFor } from "./scopes.ts";
import { insistOnIdentity, insistOnRepository } from "./signed-identity.ts";

/**
 * What a policy demands of an image: of the manifest itself, as podman has it (V25). Nothing if it is accepted as it is.
 *
 * Throws `POLICY_REJECTED` if nothing could make the policy accept it, and `INVALID_OPTION` for a key or certificate that
 * cannot be used.
 */
export async function policyDemands(
  policy: TrustPolicy,
  { name, location }: Pick<ImageSource, "name" | "location">,
  { onEvent }: FetchOptions,
): Promise<readonly Demand[]> {
  if (location === undefined) throw rejected(name, policy, "says nothing of images from where this one is");
  const match = await requirementsFor(policy, location);
  const types = match.requirements.map(({ type }) => type).join(" and ");
  const message = `the policy "${policy.path}" demands ${types} in ${match.scope}`;
  onEvent?.({ type: "decision", topic: "signature", message });
  const demanded: SigstoreSigned[] = [];
  for (const requirement of match.requirements) {
    const fault = faultOf(requirement);
    if (fault !== undefined) throw rejected(name, policy, `${fault}, in ${match.scope}`);
    if (requirement.type === "sigstoreSigned") demanded.push(requirement);
  }
  return await Promise.all(demanded.map((requirement) => demandOf(requirement, { policy, match, location })));
}

/** Why no image fulfils a requirement. */
function faultOf(requirement: Requirement): string | undefined {
  switch (requirement.type) {
    case "reject":
      return "rejects every image";
    case "signedBy":
      return `demands a signature of GPG (signedBy, ${requirement.keyType}), which is not supported`;
    case "signedBaseLayer":
      return "demands signedBaseLayer, which nothing supports";
    case "insecureAcceptAnything":
    case "sigstoreSigned":
      return undefined;
  }
}

async function demandOf(
  requirement: SigstoreSigned,
  { policy, match, location }: { readonly policy: TrustPolicy; readonly match: Match; readonly location: ImagePlace },
): Promise<Demand> {
  const { identity } = requirement;
  const signer = await requiredSigner(requirement);
  const image = location.transport === "docker" ? nameOf(location.reference) : undefined;
  return {
    origin: "policy",
    signer: {
      name: `${signer.name} (policy "${policy.path}", ${match.scope})`,
      verify: (content) => signer.verify(content),
    },
    isOfManifest: true,
    acceptName: ({ reference }) => {
      if (reference === undefined) insistOnRepository(identity, image);
      else insistOnIdentity(identity, image, reference);
    },
  };
}

/** The name that was asked for. Beside a digest a tag is a note for people. */
function nameOf({ registry, path, tag, digest }: Reference): Reference {
  return { registry, path, ...(digest === undefined ? tag !== undefined && { tag } : { digest }) };
}

function rejected(name: string, { path }: TrustPolicy, found: string): OciUnpackError {
  return new OciUnpackError("POLICY_REJECTED", `cannot trust "${name}": the policy "${path}" ${found}`, {
    hint: "choose another policy, or an image that it accepts",
  });
}
