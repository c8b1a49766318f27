import type { OutgoingHttpHeaders } from "node:http";
import type { CallContext } from "../base/call-context.ts";
import type { Document } from "../blob/image-source.ts";
import { wholeDecoded } from "../http/content-headers.ts";
import { within } from "../http/deadlines.ts";
import { RequestFailure } from "../http/request-failure.ts";
import { withRetries } from "../http/retry.ts";
import { algorithmOf, type Digest, digestBy, parseDigest } from "../oci/digest.ts";
import { bareMediaType, manifestAccept } from "../oci/media-type.ts";
import type { Client, RegistryResponse } from "./client.ts";
import { type Repository, repositoryUrl } from "./repository.ts";

/** Which manifest is requested, and how. */
interface ManifestRequest {
  /** A tag or a digest. */
  readonly reference: string;
  /** The digest that it must have, if that is known. */
  readonly digest: Digest | undefined;
  readonly sizeBytes: number | undefined;
  readonly limitBytes: number;
  /** Whether a wrong `Docker-Content-Digest` is an error, not a warning. */
  readonly strict: boolean;
  /** Whether each media type is sent in an `Accept` header of its own. */
  readonly repeatAccept: boolean;
}

/** Fetches a manifest or index from one repository. `retries` is the number of retries after failures that may pass. */
export async function fetchManifest(
  client: Client,
  repository: Repository,
  request: ManifestRequest,
  context: CallContext,
  retries?: number,
): Promise<Document> {
  const url = repositoryUrl(repository, "manifests", request.reference);
  return withRetries(client.retriesOf(url, context, retries), () =>
    within(client.deadlines.documentMilliseconds, context, async (limited) => {
      const answer = await answerTo(client, repository, url, request, limited);
      const bytes = await wholeDecoded(answer, request.limitBytes, "manifestBytes");
      const mediaType = bareMediaType(answer.headers["content-type"] ?? "");
      refuseWebPage(mediaType, answer);
      verify(bytes, request, answer);
      compareHeader(bytes, request, answer, context);
      return { mediaType, bytes };
    }),
  );
}

/** Old versions of Artifactory answer 406, although they have the manifest, until any type is accepted. */
async function answerTo(
  client: Client,
  repository: Repository,
  url: URL,
  { repeatAccept }: ManifestRequest,
  context: CallContext,
): Promise<RegistryResponse> {
  const ask = (types: readonly string[]) =>
    client.get(repository, url, { "accept-encoding": "identity", ...acceptHeader(types, repeatAccept) }, context);
  try {
    return await ask(manifestAccept);
  } catch (problem) {
    if (!(problem instanceof RequestFailure) || problem.details.status !== 406) throw problem;
    context.decided("retry", `${url.host} answers 406; asking again for whatever it has`);
    return ask([...manifestAccept, "application/json", "*/*"]);
  }
}

function acceptHeader(types: readonly string[], repeat: boolean): OutgoingHttpHeaders {
  return { accept: repeat ? [...types] : types.join(", ") };
}

/** A host that is not a registry, or a registry that is out of service, often answers with a web page. */
function refuseWebPage(mediaType: string, { url }: RegistryResponse): void {
  if (mediaType !== "text/html" && mediaType !== "application/xhtml+xml") return;
  throw new RequestFailure("REGISTRY_ERROR", `${url.host} sends a web page where a manifest should be`, {
    hint: "check that the host is a registry, and that it is in service",
    host: url.host,
  });
}

/** The size is checked first, because that takes no time. */
function verify(bytes: Uint8Array, { digest, sizeBytes }: ManifestRequest, { url, status }: RegistryResponse): void {
  const { host } = url;
  if (status !== 200)
    throw new RequestFailure("REGISTRY_ERROR", `${host} answers ${status} to a plain request`, { host });
  if (sizeBytes !== undefined && bytes.length !== sizeBytes) {
    throw new RequestFailure("SIZE_MISMATCH", `${host} sends ${bytes.length} bytes instead of ${sizeBytes}`, { host });
  }
  if (digest === undefined) return;
  const actual = digestBy(digest, bytes);
  if (actual === digest) return;
  throw new RequestFailure("DIGEST_MISMATCH", `${host} sends ${bytes.length} bytes whose digest is ${actual}`, {
    host,
  });
}

/** Compares `Docker-Content-Digest` with the body. Many registries send a wrong one or none, so it proves nothing. */
function compareHeader(
  bytes: Uint8Array,
  request: ManifestRequest,
  answer: RegistryResponse,
  context: CallContext,
): void {
  const header = answer.headers["docker-content-digest"];
  const stated = typeof header === "string" ? parseDigest(header) : undefined;
  if (request.digest !== undefined || stated === undefined || !isVerifiable(stated)) return;
  const actual = digestBy(stated, bytes);
  if (actual === stated) return;
  const found = `${answer.url.host} says that the digest is ${stated}, and it is ${actual}`;
  if (request.strict) throw new RequestFailure("DIGEST_MISMATCH", found, { host: answer.url.host });
  context.tell({ type: "warning", code: "DIGEST_HEADER_DISAGREES", message: found });
}

function isVerifiable(digest: Digest): boolean {
  const algorithm = algorithmOf(digest);
  return algorithm === "sha256" || algorithm === "sha512";
}
