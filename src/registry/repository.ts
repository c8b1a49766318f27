import type { OutgoingHttpHeaders } from "node:http";
import type { TlsMaterial } from "../http/options.ts";
import type { Reach } from "../http/policy.ts";
import type { Endpoint } from "./options.ts";

/** A repository at one endpoint: where requests for an image go. */
export interface Repository {
  readonly endpoint: Endpoint;
  /** The endpoint's base URL, parsed; its path has no slash at its end. */
  readonly base: URL;
  /** The repository's name there. */
  readonly path: string;
  /** Under which name credentials are kept. */
  readonly credentialHost: string;
  /** Whether it is the registry that the reference names, not a mirror of it. */
  readonly isOrigin: boolean;
  readonly reach: Reach;
  /** For this repository's eyes only. */
  readonly headers: OutgoingHttpHeaders;
  readonly tls: TlsMaterial | undefined;
}

/**
 * The address of something in the repository's repository. `kind` and `reference` are safe in a URL: parsed digests and
 * tags.
 */
export function repositoryUrl(repository: Repository, kind: "manifests" | "blobs", reference: string): URL {
  const url = new URL(
    `${repository.base.origin}${repository.base.pathname.replace(/\/$/, "")}/${repository.path}/${kind}/${reference}`,
  );
  if (repository.endpoint.namespace !== undefined) url.searchParams.set("ns", repository.endpoint.namespace);
  return url;
}

/** What tells repositories apart where authorizations are kept. */
export function repositoryKey(repository: Repository): string {
  return `${repository.base.href} ${repository.path}`;
}
