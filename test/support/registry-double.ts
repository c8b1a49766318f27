import { createHash } from "node:crypto";
import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Descriptor } from "../../src/oci/descriptor.ts";
import { type Digest, parseDigest } from "../../src/oci/digest.ts";
import { type Access, gateFor } from "./registry-access.ts";
import { deliver, type Fault, ociErrors, type RecordedRequest, type Reply } from "./registry-reply.ts";

/** A descriptor as it stands in a manifest's JSON. */
export interface StoredDescriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
}

/** What registries may share: a registry and the "CDN" that it redirects to. */
export interface Content {
  readonly blobs: Map<string, Uint8Array>;
  /** By `repository@digest` and `repository:tag`. */
  readonly manifests: Map<string, { readonly mediaType: string; readonly bytes: Uint8Array; readonly digest: Digest }>;
}

export interface RegistryDoubleOptions {
  /** Default: open to everybody. */
  readonly access?: Access;
  /** Default: 127.0.0.1. */
  readonly address?: string;
  /** Serves https with these; `clientCa` makes client certificates mandatory. */
  readonly tls?: { readonly key: string; readonly cert: string; readonly clientCa?: string };
  /** Sends whoever asks for a blob elsewhere. */
  readonly redirectBlobs?: (digest: string, request: RecordedRequest) => string | undefined;
  /** Default: its own, empty. */
  readonly content?: Content;
  /** Answers what refers to a manifest, so many on a page. Default: it has no such API. */
  readonly referrersOnPage?: number;
}

/** An OCI registry in this process that does as it is told, right or wrong. */
export interface RegistryDouble extends AsyncDisposable {
  /** `127.0.0.1:port`: what stands before the first slash of a reference. */
  readonly host: string;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  readonly content: Content;
  /** Everything that was asked, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Every token that was given out. */
  readonly tokens: readonly string[];
  /** Connections open at this moment. */
  readonly openConnections: number;
  /** Stores a blob, for all repositories. */
  addBlob(content: Uint8Array | string, mediaType?: string): StoredDescriptor;
  /** Stores a manifest or index, as given if it is text or bytes, under its digest and under a tag if there is one. */
  addManifest(
    repository: string,
    tag: string | undefined,
    manifest: object | string | Uint8Array,
    mediaType?: string,
  ): StoredDescriptor;
  /** The next request whose path matches gets this fault; so do as many after it as `times` says. Faults queue. */
  next(path: RegExp, fault: Fault, times?: number): void;
  /** Every request whose path matches gets this fault, after those of `next`. */
  always(path: RegExp, fault: Fault): void;
  /** Makes all tokens worthless at once. */
  revokeTokens(): void;
}

/** Starts a registry double on a free loopback port. */
export async function startRegistry(options: RegistryDoubleOptions = {}): Promise<RegistryDouble> {
  const content = options.content ?? { blobs: new Map(), manifests: new Map() };
  const requests: RecordedRequest[] = [];
  const faults: { path: RegExp; fault: Fault; times: number }[] = [];
  const sockets = new Map<Socket, number>();
  let connections = 0;

  const server = serverFor(options, async (incoming, response) => {
    const request = await recorded(incoming, sockets.get(incoming.socket) ?? 0);
    requests.push(request);
    await deliver(response, faulty(request, honest(request)));
  });
  server.on(options.tls === undefined ? "connection" : "secureConnection", (socket: Socket) => {
    sockets.set(socket, ++connections);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  });

  const address = options.address ?? "127.0.0.1";
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const host = `${address}:${(server.address() as AddressInfo).port}`;
  const url = `${options.tls === undefined ? "http" : "https"}://${host}`;
  const gate = gateFor(options.access ?? { type: "open" }, () => url);

  function honest(request: RecordedRequest): Reply {
    if (request.path.startsWith("/token")) return gate.token(request);
    if (request.path.startsWith("/cdn/"))
      return ranged(request, blobReply(content, request.path.slice(5).replace(/\?.*/, "")));
    return gate.refusal(request) ?? routed(request, content, options);
  }

  function faulty(request: RecordedRequest, reply: Reply): Reply {
    const index = faults.findIndex(({ path }) => path.test(request.path));
    const found = faults[index];
    if (found === undefined) return reply;
    found.times--;
    if (found.times === 0) faults.splice(index, 1);
    return found.fault(reply, request);
  }

  return {
    host,
    url,
    content,
    requests,
    tokens: gate.tokens,
    get openConnections() {
      return sockets.size;
    },
    addBlob(bytes, mediaType = "application/vnd.oci.image.layer.v1.tar+gzip") {
      const stored = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
      const digest = sha256(stored);
      content.blobs.set(digest, stored);
      return { mediaType, digest, size: stored.length };
    },
    addManifest(repository, tag, manifest, mediaType = mediaTypeOf(manifest)) {
      const bytes = manifest instanceof Uint8Array ? manifest : Buffer.from(asText(manifest));
      const digest = sha256(bytes);
      content.manifests.set(`${repository}@${digest}`, { mediaType, bytes, digest });
      if (tag !== undefined) content.manifests.set(`${repository}:${tag}`, { mediaType, bytes, digest });
      return { mediaType, digest, size: bytes.length };
    },
    next(path, fault, times = 1) {
      const firstForEver = faults.findIndex((one) => one.times === Number.POSITIVE_INFINITY);
      faults.splice(firstForEver < 0 ? faults.length : firstForEver, 0, { path, fault, times });
    },
    always(path, fault) {
      faults.push({ path, fault, times: Number.POSITIVE_INFINITY });
    },
    revokeTokens: () => gate.revoke(),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.keys()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A stored descriptor as the library's own type has it. */
export function described({ mediaType, digest, size }: StoredDescriptor): Descriptor {
  return { mediaType, digest, sizeBytes: size };
}

function serverFor({ tls }: RegistryDoubleOptions, listener: RequestListener): Server {
  if (tls === undefined) return createHttpServer({ keepAliveTimeout: 60_000 }, listener);
  const client = tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true };
  return createHttpsServer({ key: tls.key, cert: tls.cert, keepAliveTimeout: 60_000, ...client }, listener);
}

async function recorded(incoming: IncomingMessage, connection: number): Promise<RecordedRequest> {
  const time = performance.now();
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { method = "GET", url = "/", headers, rawHeaders } = incoming;
  return { method, path: url, headers, rawHeaders, body: Buffer.concat(chunks).toString(), connection, time };
}

function routed(request: RecordedRequest, content: Content, options: RegistryDoubleOptions): Reply {
  const { redirectBlobs, referrersOnPage } = options;
  const path = request.path.replace(/\?.*/, "");
  const [, repository = "", kind, reference = ""] =
    /^\/v2\/(.+)\/(manifests|blobs|referrers)\/([^/]+)$/.exec(path) ?? [];
  if (kind === "manifests") return forMethod(request, manifestReply(content, repository, reference));
  if (kind === "blobs") {
    const location = redirectBlobs?.(reference, request);
    if (location !== undefined)
      return { status: 307, headers: { location, "content-length": 0 }, body: new Uint8Array() };
    return ranged(request, blobReply(content, reference));
  }
  if (kind === "referrers" && referrersOnPage !== undefined) {
    return referrersReply(request.path, content, { repository, digest: reference, onPage: referrersOnPage });
  }
  if (path === "/v2/") return { status: 200, headers: { "content-type": "application/json" }, body: Buffer.from("{}") };
  return missing("UNSUPPORTED", "the operation is unsupported");
}

function manifestReply(content: Content, repository: string, reference: string): Reply {
  const separator = parseDigest(reference) === undefined ? ":" : "@";
  const manifest = content.manifests.get(`${repository}${separator}${reference}`);
  if (manifest === undefined) return missing("MANIFEST_UNKNOWN", "manifest unknown");
  const { mediaType, bytes, digest } = manifest;
  const headers = { "content-type": mediaType, "content-length": bytes.length, "docker-content-digest": digest };
  return { status: 200, headers, body: bytes };
}

/** The manifests of a repository whose `subject` is the one asked for (distribution-spec, "Listing Referrers"). */
function referrersReply(
  path: string,
  content: Content,
  { repository, digest, onPage }: { readonly repository: string; readonly digest: string; readonly onPage: number },
): Reply {
  const found = [...content.manifests].flatMap(([name, manifest]) => {
    if (!name.startsWith(`${repository}@`)) return [];
    const { subject, artifactType, config } = JSON.parse(Buffer.from(manifest.bytes).toString());
    if (subject?.digest !== digest) return [];
    const { mediaType, bytes } = manifest;
    const type = artifactType ?? config?.mediaType;
    return [{ mediaType, digest: manifest.digest, size: bytes.length, artifactType: type }];
  });
  const first = Number(new URLSearchParams(path.replace(/^[^?]*\??/, "")).get("first") ?? 0);
  const body = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: found.slice(first, first + onPage) }),
  );
  const more = first + onPage < found.length;
  const link = `</v2/${repository}/referrers/${digest}?first=${first + onPage}>; rel="next"`;
  const headers = { "content-type": indexType, "content-length": body.length, ...(more && { link }) };
  return { status: 200, headers, body };
}

const indexType = "application/vnd.oci.image.index.v1+json";

function blobReply(content: Content, digest: string): Reply {
  const bytes = content.blobs.get(digest);
  if (bytes === undefined) return missing("BLOB_UNKNOWN", "blob unknown to registry");
  const headers = {
    "content-type": "application/octet-stream",
    "content-length": bytes.length,
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
  };
  return { status: 200, headers, body: bytes };
}

/** Serves the part that `Range` asks for, unless `If-Range` says that the asker has another thing (RFC 9110, section 14). */
function ranged(request: RecordedRequest, reply: Reply): Reply {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? "") ?? [];
  const ifRange = request.headers["if-range"];
  if (reply.status !== 200 || from === undefined || (ifRange !== undefined && ifRange !== reply.headers.etag)) {
    return forMethod(request, reply);
  }
  const size = reply.body.length;
  const [first, last] = [Number(from), to ? Math.min(Number(to), size - 1) : size - 1];
  if (first >= size) {
    return {
      status: 416,
      headers: { "content-range": `bytes */${size}`, "content-length": 0 },
      body: new Uint8Array(),
    };
  }
  const body = reply.body.subarray(first, last + 1);
  const headers = {
    ...reply.headers,
    "content-length": body.length,
    "content-range": `bytes ${first}-${last}/${size}`,
  };
  return forMethod(request, { status: 206, headers, body });
}

function forMethod(request: RecordedRequest, reply: Reply): Reply {
  return request.method === "HEAD" ? { ...reply, body: new Uint8Array() } : reply;
}

function missing(code: string, message: string): Reply {
  const body = Buffer.from(ociErrors(code, message));
  return { status: 404, headers: { "content-type": "application/json", "content-length": body.length }, body };
}

function asText(manifest: object | string): string {
  return typeof manifest === "string" ? manifest : JSON.stringify(manifest);
}

function mediaTypeOf(manifest: object | string | Uint8Array): string {
  const stated = typeof manifest === "object" && "mediaType" in manifest ? manifest.mediaType : undefined;
  if (typeof stated === "string") return stated;
  const isIndex = typeof manifest === "object" && "manifests" in manifest;
  return `application/vnd.oci.image.${isIndex ? "index" : "manifest"}.v1+json`;
}

function sha256(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
}
