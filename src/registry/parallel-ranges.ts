import { onAbort } from "../base/abort.ts";
import type { CallContext } from "../base/call-context.ts";
import { rangeProblem, strongETagOf } from "../http/content-headers.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { RegistryResponse } from "./client.ts";

/** The size of one part: large enough to hide the round trips, small enough to hold some parts in memory. */
export const pieceBytes = 8 * 1024 * 1024;

/** The speed of a connection is measured over its first bytes. */
const probeBytes = 8 * 1024 * 1024;
/**
 * Below this a connection is slow. Measured over loopback, 500 MB, Node 20.20: without a limit one connection does
 * 680 MB/s and four do 260 MB/s; with a limit of 20 MB/s for each connection it is 20 MB/s against 75 MB/s.
 */
const slowBytesPerMillisecond = 50_000;

/** More connections are used if they make the download faster by this factor. */
const worthwhileGain = 1.2;

/** A part of a blob, from its first to its last byte. */
interface Piece {
  readonly first: number;
  readonly last: number;
}

interface ParallelOptions {
  /** The first response, a 206 with the first piece. */
  readonly beginning: RegistryResponse;
  readonly offset: number;
  readonly sizeBytes: number;
  readonly mostConnections: number;
  /** Requests one part. */
  readonly open: (first: number, last: number, context: CallContext) => Promise<RegistryResponse>;
}

/** A part is not what was requested. The blob then has to be read over one connection. */
export class RangeViolation extends Error {}

/**
 * Passes on the bytes of one connection as long as it is fast. If it is slow, goes on with `other`.
 *
 * Only the time that was spent waiting for bytes counts, so a slow consumer does not make the connection slow.
 */
export async function* thenIfSlow(
  bytes: AsyncIterable<Uint8Array>,
  other: () => AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  let waited = 0;
  let since = performance.now();
  for await (const chunk of bytes) {
    if (size < probeBytes) waited += performance.now() - since;
    size += chunk.length;
    yield chunk;
    since = performance.now();
    if (size < probeBytes || size - chunk.length >= probeBytes || size / waited >= slowBytesPerMillisecond) continue;
    yield* other();
    return;
  }
}

/**
 * Reads a blob over several connections, in order. Each part is requested by itself and held until it is its turn.
 *
 * It begins with two connections and uses more while they make it faster. If one fails, all end, and the caller goes on
 * from the last byte that it got.
 */
export async function* parallelRanges(
  options: ParallelOptions,
  context: CallContext,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { beginning, offset, sizeBytes, mostConnections, open } = options;
  const etag = strongETagOf(beginning);
  const lane = new AbortController();
  const listenNoMore = onAbort(context.signal, () => lane.abort(context.signal?.reason));
  const laneContext = context.under(lane.signal);
  const [firstPiece, ...pieces] = piecesOf(offset, sizeBytes);
  const width = new ConnectionCount(mostConnections);
  const running: Promise<readonly Uint8Array[]>[] = [];

  const start = (piece: Piece | undefined, answer: Promise<RegistryResponse>) => {
    if (piece === undefined) return;
    const part = answer.then((one) => partOf(one, piece, sizeBytes, etag));
    part.catch(() => {}); // the error is thrown when it is the part's turn
    running.push(part);
  };
  try {
    start(firstPiece, Promise.resolve(beginning));
    for (;;) {
      while (running.length < width.current && pieces.length > 0) {
        const piece = pieces.shift();
        if (piece !== undefined) start(piece, open(piece.first, piece.last, laneContext));
      }
      const part = await running.shift();
      if (part === undefined) return;
      yield* part;
      width.arrived(pieceBytes);
    }
  } finally {
    listenNoMore();
    lane.abort(new RequestFailure("UNREACHABLE", "another part of the blob failed"));
    await Promise.allSettled(running);
  }
}

function piecesOf(offset: number, sizeBytes: number): Piece[] {
  const count = Math.ceil((sizeBytes - offset) / pieceBytes);
  return Array.from({ length: count }, (_, index) => {
    const first = offset + index * pieceBytes;
    return { first, last: Math.min(first + pieceBytes, sizeBytes) - 1 };
  });
}

async function partOf(
  answer: RegistryResponse,
  { first, last }: Piece,
  size: number,
  etag: string | undefined,
): Promise<readonly Uint8Array[]> {
  const problem = answer.status === 206 ? rangeProblem(answer, { first, last, size, etag }) : `status ${answer.status}`;
  if (problem !== undefined || strongETagOf(answer) !== etag) {
    answer.body.dismiss();
    throw new RangeViolation(problem ?? "it sends a part of something else");
  }
  const wanted = last - first + 1;
  const part = await answer.body.whole(wanted);
  if (part.length === wanted) return [part];
  throw new RequestFailure("UNREACHABLE", `${answer.url.host} ends after ${part.length} of ${wanted} bytes`, {
    temporary: true,
  });
}

/** Decides how many connections are used. */
class ConnectionCount {
  readonly #most: number;
  #current: number;
  #bytes = 0;
  #since = performance.now();
  #bestRate = 0;
  #isSettled = false;

  constructor(most: number) {
    this.#most = most;
    this.#current = Math.min(2, most);
  }

  get current(): number {
    return this.#current;
  }

  /**
   * To be called for each part that has come. Measures after every round, in which each connection brought one part.
   */
  arrived(bytes: number): void {
    this.#bytes += bytes;
    if (this.#isSettled || this.#bytes < this.#current * pieceBytes) return;
    const rate = this.#bytes / Math.max(1, performance.now() - this.#since);
    this.#isSettled = rate < this.#bestRate * worthwhileGain || this.#current === this.#most;
    if (!this.#isSettled) this.#current = Math.min(this.#current * 2, this.#most);
    this.#bestRate = Math.max(rate, this.#bestRate);
    this.#bytes = 0;
    this.#since = performance.now();
  }
}
