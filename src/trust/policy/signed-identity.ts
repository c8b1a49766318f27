import type { JsonValue } from "../../oci/json-value.ts";
import { formatReference, ifReference, parseName, type Reference } from "../../oci/reference.ts";
import { OtherContent } from "../candidate.ts";
import { StrictMembers, typeIn, word } from "./strict-members.ts";

/** Under which name an image has to be signed (containers-policy.json(5), "signedIdentity"). */
export type SignedIdentity =
  | { readonly type: "matchExact" | "matchRepoDigestOrExact" | "matchRepository" }
  | { readonly type: "exactReference" | "exactRepository"; readonly name: Reference }
  | { readonly type: "remapIdentity"; readonly prefix: string; readonly signedPrefix: string };

/** What is demanded where a policy does not say it. */
export const defaultIdentity: SignedIdentity = { type: "matchRepoDigestOrExact" };

/** Reads what a policy demands of the name. Throws the error of its document. */
export function signedIdentityFrom(value: JsonValue): SignedIdentity {
  const type = typeIn(
    value,
    "matchExact",
    "matchRepoDigestOrExact",
    "matchRepository",
    "exactReference",
    "exactRepository",
    "remapIdentity",
  );
  switch (type) {
    case "matchExact":
    case "matchRepoDigestOrExact":
    case "matchRepository":
      new StrictMembers(value, ["type"]);
      return { type };
    case "exactReference": {
      const member = new StrictMembers(value, ["type", "dockerReference"]).required("dockerReference");
      const name = nameIn(member);
      if (isRepository(name)) member.refuse("it names neither a tag nor a digest");
      return { type, name };
    }
    case "exactRepository":
      return {
        type,
        name: nameIn(new StrictMembers(value, ["type", "dockerRepository"]).required("dockerRepository")),
      };
    case "remapIdentity": {
      const members = new StrictMembers(value, ["type", "prefix", "signedPrefix"]);
      return {
        type,
        prefix: prefixIn(members.required("prefix")),
        signedPrefix: prefixIn(members.required("signedPrefix")),
      };
    }
  }
}

function nameIn(value: JsonValue): Reference {
  return parsed(word(value)) ?? value.refuse(`"${value.string().slice(0, 100)}" is not the name of an image`);
}

/** A host, or a namespace or a repository at one, as they are written in full. */
function prefixIn(value: JsonValue): string {
  const prefix = word(value);
  const below = `${prefix}/any/name`;
  const name = parsed(below);
  if (name !== undefined && formatReference(name) === below) return prefix;
  return value.refuse(`"${prefix.slice(0, 100)}" is not HOST[:PORT][/NAMESPACE…], without a tag`);
}

/**
 * Insists that the name that somebody signed an image under is the one that is demanded. `image` is the name that was
 * asked for; what is read from a directory or an archive has none.
 *
 * Throws `OtherContent`.
 */
export function insistOnIdentity(identity: SignedIdentity, image: Reference | undefined, signed: string): void {
  const shown = `"${signed.slice(0, 300)}"`;
  const name = parsed(signed);
  if (name === undefined) throw new OtherContent(`it was signed under ${shown}, which is no image's name`);
  const fault = faultOf(identity, image, name);
  if (fault !== undefined) throw new OtherContent(`it was signed under ${shown}: ${fault}`);
}

/**
 * Insists that a signature that states no name lies in the repository that is demanded: a bundle is found in the image's
 * own repository and nowhere else. Throws `OtherContent`.
 */
export function insistOnRepository(identity: SignedIdentity, image: Reference | undefined): void {
  const named = "a bundle states no name, and counts";
  if (image === undefined) throw new OtherContent(`${named} in a registry alone under a policy`);
  if (identity.type === "matchRepository") return;
  if (identity.type !== "exactRepository")
    throw new OtherContent(`${named} under matchRepository or exactRepository alone`);
  const fault = sameRepository(identity.name, image);
  if (fault !== undefined) throw new OtherContent(`${named} for the repository that it lies in: ${fault}`);
}

/** Why a name is not the one that is demanded. */
function faultOf(identity: SignedIdentity, image: Reference | undefined, signed: Reference): string | undefined {
  if (identity.type === "exactReference") return exactly(identity.name, signed);
  if (identity.type === "exactRepository") return sameRepository(identity.name, signed);
  if (image === undefined) {
    return `${identity.type} compares that with the image's own name, and here it has none: exactRepository names one`;
  }
  switch (identity.type) {
    case "matchExact":
      return exactly(image, signed);
    case "matchRepository":
      return sameRepository(image, signed);
    case "matchRepoDigestOrExact":
      return exactlyOrByDigest(image, signed);
    case "remapIdentity": {
      const remapped = remappedName(identity, image);
      return remapped === undefined
        ? `"${repositoryOf(image)}" is no name any more with "${identity.signedPrefix}"`
        : exactlyOrByDigest(remapped, signed);
    }
  }
}

/** A digest was compared already; it is enough that the repository is the same. */
function exactlyOrByDigest(wanted: Reference, signed: Reference): string | undefined {
  if (wanted.digest === undefined) return exactly(wanted, signed);
  return isRepository(signed) ? missingTag(wanted, signed) : sameRepository(wanted, signed);
}

function exactly(wanted: Reference, signed: Reference): string | undefined {
  if (isRepository(signed)) return missingTag(wanted, signed);
  const name = formatReference(wanted);
  return formatReference(signed) === name ? undefined : `"${name}" is demanded`;
}

function sameRepository(wanted: Reference, signed: Reference): string | undefined {
  const name = repositoryOf(wanted);
  return repositoryOf(signed) === name ? undefined : `the repository "${name}" is demanded`;
}

/** cosign's own signatures state no more than a repository. */
function missingTag(wanted: Reference, signed: Reference): string {
  return (
    sameRepository(wanted, signed) ??
    'that names the repository alone, as cosign does, and a tag is demanded; "signedIdentity": {"type": "matchRepository"} accepts it'
  );
}

/** The name with another beginning; `undefined` if it is no name as it has to be written in full then. */
function remappedName(
  { prefix, signedPrefix }: Extract<SignedIdentity, { type: "remapIdentity" }>,
  image: Reference,
): Reference | undefined {
  const repository = repositoryOf(image);
  if (repository !== prefix && !repository.startsWith(`${prefix}/`)) return image;
  const text = `${signedPrefix}${formatReference(image).slice(prefix.length)}`;
  const name = parsed(text);
  return name !== undefined && formatReference(name) === text ? name : undefined;
}

/** `registry/path`, without a tag and a digest. */
export function repositoryOf({ registry, path }: Reference): string {
  return formatReference({ registry, path });
}

function isRepository({ tag, digest }: Reference): boolean {
  return tag === undefined && digest === undefined;
}

function parsed(text: string): Reference | undefined {
  return ifReference(() => parseName(text));
}
