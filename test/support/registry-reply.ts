import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** A request that the double received. */
export interface RecordedRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As they came, names and values in turn: what tells two header lines from one. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
  /** Counts connections from 1: equal numbers share one. */
  readonly connection: number;
  /** When it came: milliseconds as `performance.now` counts them. */
  readonly time: number;
}

/** How a reply's bytes leave. */
export type Delivery =
  /** Reset, closed or left alone after so many bytes of the body; below 0 before even the status line. */
  | { readonly kind: "reset" | "close" | "hang"; readonly afterBytes: number }
  /** In pieces, after each of which there is a pause, up to `until` bytes; the rest at once. */
  | { readonly kind: "drip"; readonly bytes: number; readonly pause: () => Promise<unknown>; readonly until?: number };

export interface Reply {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: Uint8Array;
  /** Default: all of it, at once. */
  readonly delivery?: Delivery;
}

/** Makes another reply of the one that an honest registry would give. */
export type Fault = (reply: Reply, request: RecordedRequest) => Reply;

/** Resets the connection (RST) after so many bytes of the body; below 0 before the status line. */
export function resetAfter(bytes: number): Fault {
  return (reply) => ({ ...reply, delivery: { kind: "reset", afterBytes: bytes } });
}

/** Closes the connection (FIN) after so many bytes of the body, whatever was promised. */
export function closeAfter(bytes: number): Fault {
  return (reply) => ({ ...reply, delivery: { kind: "close", afterBytes: bytes } });
}

/** Falls silent after so many bytes of the body and keeps the connection open. */
export function hangAfter(bytes: number): Fault {
  return (reply) => ({ ...reply, delivery: { kind: "hang", afterBytes: bytes } });
}

/** Sends the body in pieces with pauses between, or only what comes before byte `until`. */
export function drip(bytes: number, milliseconds: number, until = Number.POSITIVE_INFINITY): Fault {
  const pause = () => sleep(milliseconds);
  return (reply) => ({ ...reply, delivery: { kind: "drip", bytes, pause, until } });
}

/** Sends the body in pieces, each next one when the test has done what it does after the one before. */
export function inSteps(bytes: number, pause: () => Promise<unknown>): Fault {
  return (reply) => ({ ...reply, delivery: { kind: "drip", bytes, pause } });
}

/** Answers something else altogether. */
export function answer(status: number, headers: OutgoingHttpHeaders = {}, body: string | Uint8Array = ""): Fault {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return () => ({ status, headers: { "content-length": bytes.length, ...headers }, body: bytes });
}

/** Answers with a JSON document. */
export function answerJson(status: number, body: unknown, headers: OutgoingHttpHeaders = {}): Fault {
  return answer(status, { "content-type": "application/json", ...headers }, JSON.stringify(body));
}

/** Adds or replaces headers; `undefined` takes one away. */
export function stating(headers: OutgoingHttpHeaders): Fault {
  return (reply) => {
    const merged = Object.entries({ ...reply.headers, ...headers }).filter(([, value]) => value !== undefined);
    return { ...reply, headers: Object.fromEntries(merged) };
  };
}

/** Sends other bytes than the registry has, and says so in `Content-Length`. */
export function withBody(change: (body: Uint8Array) => Uint8Array): Fault {
  return (reply) => {
    const body = change(reply.body);
    return { ...reply, headers: { ...reply.headers, "content-length": body.length }, body };
  };
}

/** The OCI error document with one error (distribution-spec, "Error Codes"). */
export function ociErrors(code: string, message: string): string {
  return JSON.stringify({ errors: [{ code, message }] });
}

/** Sends a reply as its delivery says. */
export async function deliver(response: ServerResponse, reply: Reply): Promise<void> {
  const { delivery, body } = reply;
  if (delivery?.kind === "drip") return dripping(response, reply, delivery);
  if (delivery === undefined) {
    response.writeHead(reply.status, reply.headers).end(body);
    return;
  }
  if (delivery.afterBytes >= 0) {
    response.writeHead(reply.status, reply.headers).flushHeaders();
    await written(response, body.subarray(0, delivery.afterBytes));
  }
  if (delivery.kind === "close") response.socket?.end();
  if (delivery.kind === "reset") response.socket?.resetAndDestroy();
}

/** Waits until the kernel has the bytes, so that a reset does not overtake them in this process. */
function written(response: ServerResponse, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    response.once("close", resolve);
    if (bytes.length === 0) setImmediate(resolve);
    else response.write(bytes, () => setTimeout(resolve, 2));
  });
}

async function dripping(
  response: ServerResponse,
  { status, headers, body }: Reply,
  { bytes, pause, until = body.length }: Extract<Delivery, { kind: "drip" }>,
): Promise<void> {
  response.writeHead(status, headers).flushHeaders();
  let offset = 0;
  for (; offset < Math.min(until, body.length) && !response.destroyed; offset += bytes) {
    response.write(body.subarray(offset, offset + bytes));
    await pause();
  }
  response.end(body.subarray(offset));
}
