import type { OutgoingHttpHeaders } from "node:http";
import type { TlsMaterial } from "../http/options.ts";
import type { Reach } from "../http/policy.ts";
import type { Endpoint } from "./options.ts";

/** A repository at one endpoint: where requests for an image go. */
export interface Site {
  readonly endpoint: Endpoint;
  /** The endpoint's base URL, parsed; its path has no slash at its end. */
  readonly base: URL;
  /** The repository's name there. */
  readonly repository: string;
  /** Under which name credentials are kept. */
  readonly credentialHost: string;
  /** Whether it is the registry that the reference names, not a mirror of it. */
  readonly isOrigin: boolean;
  readonly reach: Reach;
  /** For this site's eyes only. */
  readonly headers: OutgoingHttpHeaders;
  readonly tls: TlsMaterial | undefined;
}

/** The address of something in the site's repository. `kind` and `reference` are safe in a URL: parsed digests and tags. */
export function siteUrl(site: Site, kind: "manifests" | "blobs", reference: string): URL {
  const url = new URL(
    `${site.base.origin}${site.base.pathname.replace(/\/$/, "")}/${site.repository}/${kind}/${reference}`,
  );
  if (site.endpoint.namespace !== undefined) url.searchParams.set("ns", site.endpoint.namespace);
  return url;
}

/** What tells sites apart where authorizations are kept. */
export function siteKey(site: Site): string {
  return `${site.base.href} ${site.repository}`;
}
