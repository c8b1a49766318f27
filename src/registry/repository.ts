import type { OutgoingHttpHeaders } from "node:http";
import type { TlsMaterial } from "../http/options.ts";
import type { Reach } from "../http/policy.ts";
import type { Endpoint } from "./options.ts";

/** A repository at one endpoint. Requests for an image go there. */
export interface Repository {
  readonly endpoint: Endpoint;
  /** The endpoint's base URL, parsed; its path has no slash at its end. */
  readonly base: URL;
  /** The repository's name there. */
  readonly path: string;
  /** The host under whose name credentials are looked up. */
  readonly credentialHost: string;
  /** Whether it is the registry that the reference names, not a mirror of it. */
  readonly isOrigin: boolean;
  readonly reach: Reach;
  /** Headers that only this repository's host may see. */
  readonly headers: OutgoingHttpHeaders;
  readonly tls: TlsMaterial | undefined;
}

/** The URL of a manifest or blob in a repository, or of what refers to a manifest. `reference` is a parsed digest or tag, which is safe in a URL. */
export function repositoryUrl(
  repository: Repository,
  kind: "manifests" | "blobs" | "referrers",
  reference: string,
): URL {
  const url = new URL(
    `${repository.base.origin}${repository.base.pathname.replace(/\/$/, "")}/${repository.path}/${kind}/${reference}`,
  );
  if (repository.endpoint.namespace !== undefined) url.searchParams.set("ns", repository.endpoint.namespace);
  return url;
}

/** The key under which the authorization for a repository is kept. */
export function repositoryKey(repository: Repository): string {
  return `${repository.base.href} ${repository.path}`;
}
