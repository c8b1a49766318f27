import { createHash } from "node:crypto";
import {
  answer,
  closeAfter,
  drip,
  type Fault,
  hangAfter,
  ociErrors,
  type RecordedRequest,
  type Reply,
  resetAfter,
  stating,
  withBody,
} from "./registry-reply.ts";

/** What a storm depends on. */
export interface Weather {
  /** Another one is another storm, the same one the same storm. */
  readonly seed: string;
  /** What links to elsewhere are signed with. */
  readonly signature: string;
}

/** Numbers between 0 and 1 that depend on nothing but these words. */
function lot(...words: readonly (string | number)[]): () => number {
  let count = 0;
  return () => {
    const hash = createHash("sha256")
      .update([...words, count++].join(" "))
      .digest();
    return hash.readUInt32BE() / 2 ** 32;
  };
}

type Accident = (at: number, request: RecordedRequest) => Fault;

/** Everything that may go wrong with one reply. `at` is a place in its body. */
const faultsWith = (signature: string): readonly Accident[] => [
  (at) => resetAfter(at),
  () => resetAfter(-1),
  (at) => closeAfter(at),
  () => closeAfter(-1),
  (at) => hangAfter(at),
  () => hangAfter(-1),
  () => drip(4_000, 5),
  (at) => withBody((body) => body.subarray(0, at)),
  () => withBody((body) => Buffer.concat([body, body])),
  (at) => withBody((body) => Buffer.from(body).fill(0, at)),
  (at) => stating({ "content-length": at }),
  () => stating({ "content-length": undefined }),
  () => stating({ "content-range": "bytes 1-2/3" }),
  () => stating({ "content-range": undefined }),
  () => stating({ etag: '"another"' }),
  () => stating({ "content-encoding": "gzip" }),
  () => stating({ "x-noise": "n".repeat(100_000) }),
  () => withBody(() => Buffer.alloc(6_000_000, "{")),
  () => withBody(() => Buffer.from('{"token":')),
  () => answer(429, { "retry-after": "0" }),
  () => answer(503, { "retry-after": new Date().toUTCString() }),
  () => answer(429, { "retry-after": "86400" }),
  () => answer(500),
  () => answer(401),
  () => answer(403),
  () => answer(404, {}, "<html>"),
  () => answer(200, { "content-type": "text/html" }, "<html>"),
  () => answer(307, { location: "/v2/" }),
  () => answer(302, { location: `ftp://x/?${signature}` }),
  // A registry that repeats what it was sent.
  (_, { headers }) => answer(400, {}, ociErrors("DENIED", repeated(headers.authorization))),
  (_, { path }) => answer(502, { "content-type": "text/plain" }, path),
];

function repeated(authorization = ""): string {
  return `${authorization} ${Buffer.from(authorization.replace("Basic ", ""), "base64")}`;
}

/** Breaks about one reply in five, each request of each pull in its own way however they interleave. */
export function weather({ seed, signature }: Weather): Fault {
  const faults = faultsWith(signature);
  const seen = new Map<string, number>();
  return (reply: Reply, request: RecordedRequest) => {
    const place = request.path.replace(signature, "");
    const time = (seen.get(place) ?? 0) + 1;
    seen.set(place, time);
    const draw = lot(seed, place, time);
    if (draw() > 0.2) return reply;
    const fault = faults[Math.floor(draw() * faults.length)];
    const at = Math.floor(draw() * reply.body.length);
    return fault === undefined ? reply : fault(at, request)(reply, request);
  };
}
