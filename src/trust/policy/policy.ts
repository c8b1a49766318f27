import { posix } from "node:path";
import { isOciUnpackError, retold } from "../../base/errors.ts";
import { parseDigest } from "../../oci/digest.ts";
import { JsonValue } from "../../oci/json-value.ts";
import { type Requirement, requirementFrom } from "./requirement.ts";
import { items, StrictMembers } from "./strict-members.ts";

/** What is demanded of images, by the place that they come from (containers-policy.json(5)). */
export interface TrustPolicy {
  /** Its file, for messages. */
  readonly path: string;
  /** What is demanded where no scope matches. */
  readonly otherwise: Requirements;
  /** The scopes of each transport. That without a name is the transport's default. */
  readonly transports: ReadonlyMap<string, ReadonlyMap<string, Requirements>>;
}

/** All of them have to hold. There is at least one. */
export type Requirements = readonly Requirement[];

/** The transports that podman and skopeo have, and that policies therefore speak of (containers-transports(5)). */
const transportNames = [
  "atomic",
  "containers-storage",
  "dir",
  "docker",
  "docker-archive",
  "docker-daemon",
  "oci",
  "oci-archive",
  "ostree",
  "sif",
  "tarball",
] as const;

/**
 * Parses a policy. What is unknown in it, twice there, empty or of another type makes the whole policy an error: what is
 * misspelt would demand less than was meant.
 *
 * Throws `INVALID_OPTION`, which names the file and the place in it.
 */
export function parsePolicy(bytes: Uint8Array, path: string): TrustPolicy {
  try {
    return policyFrom(JsonValue.parse(bytes, `policy "${path}"`, "INVALID_OPTION"), path);
  } catch (error) {
    if (!isOciUnpackError(error)) throw error;
    throw retold(error, error.message, {
      hint: "man containers-policy.json explains the format",
      details: { option: "trust.policy" },
    });
  }
}

function policyFrom(value: JsonValue, path: string): TrustPolicy {
  const members = new StrictMembers(value, ["default"], ["transports"]);
  return {
    path,
    otherwise: requirementsFrom(members.required("default")),
    transports: transportsFrom(members.optional("transports")),
  };
}

function transportsFrom(value: JsonValue | undefined): TrustPolicy["transports"] {
  if (value === undefined) return new Map();
  const transports = new StrictMembers(value, [], transportNames).all();
  return new Map(transports.map(({ name, value: scopes }) => [name, scopesFrom(name, scopes)]));
}

function scopesFrom(transport: string, value: JsonValue): ReadonlyMap<string, Requirements> {
  return new Map(
    value.entries().map(([scope, requirements]) => {
      const fault = scope === "" ? undefined : faultOf(transport, scope);
      if (fault !== undefined) requirements.refuse(`it is no scope of "${transport}": ${fault}`);
      return [scope, requirementsFrom(requirements)];
    }),
  );
}

/** Why a scope can match no image of its transport. Of transports that are not read here nothing is known. */
function faultOf(transport: string, scope: string): string | undefined {
  switch (transport) {
    case "dir":
    case "oci":
    case "oci-archive":
    case "sif":
      return faultOfPath(scope);
    case "docker-archive":
    case "tarball":
      return 'it has no other than ""';
    case "docker-daemon":
      return parseDigest(scope) === undefined ? undefined : "an ID is none";
    default:
      return undefined;
  }
}

function faultOfPath(path: string): string | undefined {
  if (!path.startsWith("/")) return "an absolute path is one";
  if (path === "/") return 'for all paths it is ""';
  const plain = posix.resolve(path);
  return plain === path ? undefined : `the same path is ${JSON.stringify(plain.slice(0, 100))}`;
}

function requirementsFrom(value: JsonValue): Requirements {
  return items(value).map(requirementFrom);
}
