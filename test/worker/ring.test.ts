import assert from "node:assert/strict";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import {
  AsyncRingWriter,
  cancelRing,
  createRing,
  leaveFirstReaderOut,
  RingCancelled,
  RingReader,
  RingWriter,
} from "../../src/worker/ring.ts";
import { waitsOf } from "../../src/worker/ring-waits.ts";

/** All bytes of the reader's current stream. */
function drained(reader: RingReader): number[] {
  const bytes: number[] = [];
  for (let chunk = reader.read(); chunk !== undefined; chunk = reader.read()) bytes.push(...chunk);
  return bytes;
}

function put(writer: RingWriter, bytes: readonly number[]): void {
  for (const byte of bytes) {
    writer.space()[0] = byte;
    writer.commit(1);
  }
}

test("streams come out one after the other, as they went in", () => {
  const ring = createRing(64, 3);
  const writer = new RingWriter(ring);
  const reader = new RingReader(ring);
  put(writer, [1, 2, 3]);
  writer.end();
  writer.end();
  put(writer, [4]);
  writer.end();
  assert.deepEqual([drained(reader), drained(reader), drained(reader)], [[1, 2, 3], [], [4]]);
});

test("the next stream's bytes never show in the current one, although they are in the ring", () => {
  const ring = createRing(64, 2);
  const writer = new RingWriter(ring);
  const reader = new RingReader(ring);
  put(writer, [1]);
  assert.deepEqual([...(reader.read() ?? [])], [1]);
  writer.end();
  put(writer, [2]);
  assert.equal(reader.read(), undefined);
});

test("space is never more than is free, and a chunk's memory is not reused while it is held", () => {
  const ring = createRing(64, 1);
  const writer = new RingWriter(ring);
  const reader = new RingReader(ring);
  put(writer, [...Array(64).keys()]);
  const held = reader.read() ?? new Uint8Array();
  assert.equal(held.length, 8, "an eighth of the ring");
  reader.read();
  assert.equal(writer.space().length, 8);
});

test("counters that wrap around 2³² change nothing", () => {
  const ring = createRing(16, 1);
  const control = new Int32Array(ring.control);
  control[0] = control[7] = -6; // head and tail six bytes before the wrap
  const writer = new RingWriter(ring);
  const reader = new RingReader(ring);
  put(writer, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  writer.end();
  assert.deepEqual(drained(reader), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("two readers get everything each, and the writer waits for the slower one", async () => {
  const ring = createRing(64, 1, 2);
  const writer = new AsyncRingWriter(ring);
  const [first, second] = [new RingReader(ring), new RingReader(ring, () => writer.wake(), 1)];
  const bytes = [...Array(72).keys()];
  let isWritten = false;
  const written = writer.write(Uint8Array.from(bytes)).then(() => {
    isWritten = true;
  });
  const firstBytes: number[] = [];
  while (firstBytes.length < 64) firstBytes.push(...(first.read() ?? []));
  await new Promise(setImmediate);
  assert.equal(isWritten, false, "the second reader has not read yet");
  const secondBytes: number[] = [];
  while (secondBytes.length < 64) secondBytes.push(...(second.read() ?? []));
  await written;
  writer.end();
  assert.deepEqual([...firstBytes, ...drained(first)], bytes);
  assert.deepEqual([...secondBytes, ...drained(second)], bytes);
});

test("a ring goes on without its first reader", async () => {
  const ring = createRing(64, 1, 2);
  const writer = new AsyncRingWriter(ring);
  const [first, second] = [new RingReader(ring), new RingReader(ring, () => writer.wake(), 1)];
  const bytes = [...Array(200).keys()];
  const written = writer.write(Uint8Array.from(bytes)).then(() => writer.end());
  first.read();
  leaveFirstReaderOut(ring);
  writer.wake();
  const secondBytes: number[] = [];
  for (let chunk = second.read(); chunk !== undefined; chunk = second.read()) {
    secondBytes.push(...chunk);
    await new Promise(setImmediate);
    if (secondBytes.length === 192) await written; // a reader that sleeps would stop this thread
  }
  assert.deepEqual(secondBytes, bytes);
});

test("a cancelled ring refuses both ends", () => {
  const ring = createRing(16, 1);
  cancelRing(ring);
  assert.throws(() => new RingReader(ring).read(), RingCancelled);
  assert.throws(() => new RingWriter(ring).space(), RingCancelled);
});

test("an asynchronous writer that waits for space is told when there is some, and when there never will be", async () => {
  const ring = createRing(16, 1);
  const writer = new AsyncRingWriter(ring);
  const reader = new RingReader(ring, () => writer.wake());
  const written = writer.write(Uint8Array.from(Array(40).keys()));
  const bytes: number[] = [];
  while (bytes.length < 40) {
    bytes.push(...(reader.read() ?? []));
    await new Promise(setImmediate);
    if (bytes.length === 38) break;
  }
  await written;
  const stuck = writer.write(new Uint8Array(64));
  cancelRing(ring);
  writer.wake();
  await assert.rejects(stuck, RingCancelled);
});

test("who waited for whom is counted, and for how long", async () => {
  const ring = createRing(16, 1);
  const writer = new AsyncRingWriter(ring);
  const reader = new RingReader(ring, () => writer.wake());
  const written = writer.write(new Uint8Array(17));
  const { count, milliseconds } = waitsOf(ring).writer;
  assert.deepEqual([count, milliseconds], [0, 0], "it still waits");
  const before = performance.now();
  while (performance.now() < before + 5) await new Promise(setImmediate);
  for (let chunk = 0; chunk < 3; chunk += 1) reader.read(); // two of them are free then, a quarter of the ring
  await written;
  const waits = waitsOf(ring);
  assert.equal(waits.writer.count, 1);
  assert.ok(waits.writer.milliseconds >= 5);
  assert.deepEqual(waits.readers, [{ count: 0, milliseconds: 0 }]);
});

test("two threads pass five megabytes in pieces of any length, unharmed", { timeout: 120_000 }, async () => {
  const ring = createRing(4096, 2);
  const worker = new Worker(new URL("./ring-peer.js", import.meta.url), { workerData: ring });
  const writer = new AsyncRingWriter(ring);
  const sums = new Promise<number[]>((resolve, reject) => {
    const received: number[] = [];
    worker.on("error", reject);
    worker.on("message", (message: "space" | number) => {
      if (message === "space") return writer.wake();
      if (received.push(message) === 2) resolve(received);
    });
  });
  const expected: number[] = [];
  for (let stream = 0; stream < 2; stream += 1) {
    let sum = 0;
    for (let sent = 0; sent < 2_500_000; ) {
      const chunk = Uint8Array.from({ length: 1 + ((sent * 7919) % 9000) }, (_, index) => (sent + index * 31) & 255);
      for (const byte of chunk) sum = (sum * 31 + byte) >>> 0;
      await writer.write(chunk);
      sent += chunk.length;
    }
    expected.push(sum);
    writer.end();
  }
  assert.deepEqual(await sums, expected);
  await worker.terminate();
});
