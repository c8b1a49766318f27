import type { CallContext } from "../base/call-context.ts";
import type { Limits } from "../base/limits.ts";
import { wholeDecoded } from "../http/content-headers.ts";
import { within } from "../http/deadlines.ts";
import { RequestFailure, tooLarge } from "../http/request-failure.ts";
import { withRetries } from "../http/retry.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { imageIndexFrom } from "../oci/document.ts";
import { JsonValue } from "../oci/json-value.ts";
import { mediaTypes } from "../oci/media-type.ts";
import type { Client, RegistryResponse } from "./client.ts";
import { type Repository, repositoryUrl } from "./repository.ts";

/** What is listed, and how much of it. */
interface ReferrersRequest {
  readonly digest: Digest;
  readonly limits: Pick<Limits, "referrersPages" | "referrersBytes">;
}

/**
 * Lists what refers to a manifest in one repository (distribution-spec, "Listing Referrers"): all pages. Throws a failure
 * with the status 404 where there is no such API.
 */
export async function fetchReferrers(
  client: Client,
  repository: Repository,
  { digest, limits }: ReferrersRequest,
  context: CallContext,
  retries?: number,
): Promise<readonly Descriptor[]> {
  const listed: Descriptor[] = [];
  let remaining = limits.referrersBytes;
  let url: URL | undefined = repositoryUrl(repository, "referrers", digest);
  for (let pages = 0; url !== undefined; pages += 1) {
    if (pages === limits.referrersPages) throw tooManyPages(url, limits.referrersPages);
    const page = await fetchPage(client, repository, url, remaining, context, retries);
    remaining -= page.sizeBytes;
    for (const descriptor of page.descriptors) listed.push(descriptor);
    url = page.next;
  }
  return listed;
}

interface Page {
  readonly descriptors: readonly Descriptor[];
  readonly sizeBytes: number;
  readonly next: URL | undefined;
}

async function fetchPage(
  client: Client,
  repository: Repository,
  url: URL,
  limitBytes: number,
  context: CallContext,
  retries: number | undefined,
): Promise<Page> {
  const headers = { accept: mediaTypes.ociIndex, "accept-encoding": "identity" };
  return await withRetries(client.retriesOf(url, context, retries), () =>
    within(client.deadlines.documentMilliseconds, context, async (limited) => {
      const answer = await client.get(repository, url, headers, limited);
      const bytes = await wholeDecoded(answer, limitBytes, "referrersBytes");
      const value = JsonValue.parse(bytes, `list of referrers from ${answer.url.host}`, "INVALID_MANIFEST");
      const { manifests } = imageIndexFrom(value, mediaTypes.ociIndex);
      return { descriptors: manifests, sizeBytes: bytes.length, next: nextPage(answer, url) };
    }),
  );
}

/** The next page, which is at the same host: it is asked with the same credentials (RFC 8288, `rel="next"`). */
function nextPage({ headers, isElsewhere }: RegistryResponse, asked: URL): URL | undefined {
  const { link } = headers;
  if (typeof link !== "string" || isElsewhere) return undefined;
  const [, target, parameters = ""] = /^\s*<([^<>]{1,2000})>([^,<>]{0,200})/.exec(link) ?? [];
  if (target === undefined || !saysNext(parameters) || !URL.canParse(target, asked.href)) return undefined;
  const next = new URL(target, asked);
  if (next.origin === asked.origin) return next;
  const found = `${asked.host} lists referrers whose next page is at ${next.host}`;
  throw new RequestFailure("REGISTRY_ERROR", found, { host: asked.host });
}

function saysNext(parameters: string): boolean {
  return parameters.split(";").some((each) => ["rel=next", 'rel="next"'].includes(each.trim().toLowerCase()));
}

function tooManyPages({ host }: URL, allowed: number): RequestFailure {
  return tooLarge(`${host} lists referrers on more than ${allowed} pages`, host, allowed, "referrersPages");
}
