import { realpath } from "node:fs/promises";
import { dirname } from "node:path";
import { fileSystemError } from "../../base/system-error.ts";
import type { ImagePlace } from "../../blob/image-source.ts";
import { formatReference, type Reference, withoutPort } from "../../oci/reference.ts";
import type { Requirements, TrustPolicy } from "./policy.ts";

/** What a policy demands of an image, and where it says so. */
export interface Match {
  readonly requirements: Requirements;
  /** In words. */
  readonly scope: string;
}

/** The requirements for an image: those of the most specific scope that it is in (containers-policy.json(5)). */
export async function requirementsFor(policy: TrustPolicy, location: ImagePlace): Promise<Match> {
  const scopes = policy.transports.get(location.transport);
  const names = scopes === undefined ? [] : [...(await scopesOf(location)), ""];
  for (const name of names) {
    const requirements = scopes?.get(name);
    if (requirements === undefined) continue;
    const place = name === "" ? `its default for ${location.transport}:` : `its scope ${location.transport}: "${name}"`;
    return { requirements, scope: place };
  }
  return { requirements: policy.otherwise, scope: "its default" };
}

/** The scopes that an image is in, the most specific first. */
async function scopesOf(location: ImagePlace): Promise<readonly string[]> {
  switch (location.transport) {
    case "docker":
    case "docker-daemon":
      return location.reference === undefined ? [] : scopesOfName(location.reference);
    case "dir":
    case "oci":
    case "oci-archive":
      return location.path === undefined ? [] : await scopesOfPath(location.path);
    case "docker-archive":
      return [];
  }
}

/** The name, the repository, its namespaces, the host with its port, and wildcards for the domains that it is in. */
function scopesOfName({ registry, path, tag, digest }: Reference): readonly string[] {
  const repository = formatReference({ registry, path });
  // A tag beside a digest is a note for people.
  const name = digest === undefined ? `${repository}:${tag}` : `${repository}@${digest}`;
  const parts = repository.split("/");
  const namespaces = parts.map((_part, index) => parts.slice(0, parts.length - index).join("/"));
  const labels = withoutPort(registry).split(".");
  const wildcards = labels.slice(1).map((_label, index) => `*.${labels.slice(index + 1).join(".")}`);
  return [name, ...namespaces, ...wildcards];
}

/** The path without symbolic links, and the directories that it is in but the root. */
async function scopesOfPath(path: string): Promise<readonly string[]> {
  const scopes: string[] = [];
  for (let scope = await withoutLinks(path); scope !== "/"; scope = dirname(scope)) scopes.push(scope);
  return scopes;
}

async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw fileSystemError(error, `find out where "${path}" is`);
  }
}
