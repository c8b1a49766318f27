import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { Spool } from "../../src/blob/spool.ts";
import { SpoolStorage } from "../../src/blob/spool-storage.ts";
import { openFilesIn } from "./open-files.ts";

const MiB = 1024 * 1024;
let directory = "";
let storage: SpoolStorage;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "oci-unpack-spool-"));
  storage = new SpoolStorage({ directory, memoryBytes: 20 * MiB, processorUse: { isHigh: false } });
});
afterEach(async () => {
  await storage[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

/** Chunk number n: 64 KiB that all say n. */
function chunk(n: number): Uint8Array {
  return new Uint8Array(65536).fill(n);
}

async function drained(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of chunks) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

const expected = Buffer.concat(Array.from({ length: 100 }, (_, n) => chunk(n)));

async function fill(spool: Spool): Promise<void> {
  for (let n = 0; n < 100; n += 1) await spool.write(chunk(n));
  await spool.end();
}

test("a blob that arrives before its turn overflows into a file without a name, and comes out in order", async () => {
  const spool = new Spool({ storage, memoryBytes: MiB });
  await fill(spool);
  assert.equal((await openFilesIn(directory)).length, 1);
  assert.deepEqual(await readdir(directory), []);
  assert.ok((await drained(spool.reading())).equals(expected));
});

test("a blob in which nobody reads on still arrives, and turns out to be right or wrong", async () => {
  const wrong = new Error("its digest is another");
  for (const error of [undefined, wrong]) {
    const spool = new Spool({ storage, memoryBytes: MiB });
    const begun = spool.reading().next();
    const written = spool.write(chunk(0));
    await begun;
    const proven = spool.proven();
    await written;
    for (let n = 0; n < 100; n += 1) await spool.write(chunk(n));
    if (error === undefined) await spool.end();
    else spool.fail(error);
    await (error === undefined ? proven : assert.rejects(proven, wrong));
    assert.deepEqual(await openFilesIn(directory), [], "nothing of it is kept");
  }
});

test("a blob that is held comes out when it is proven, without what was forgotten before", async () => {
  const spool = new Spool({ storage, memoryBytes: MiB, isHeld: true });
  let isEnded = false;
  const reading = drained(spool.reading()).then((bytes) => ({ bytes, cameAfterTheEnd: isEnded }));
  for (let n = 100; n < 250; n += 1) await spool.write(chunk(n));
  await spool.forget();
  for (let n = 0; n < 100; n += 1) await spool.write(chunk(n));
  isEnded = true;
  await spool.end();
  const { bytes, cameAfterTheEnd } = await reading;
  assert.ok(bytes.equals(expected));
  assert.ok(cameAfterTheEnd);
});

test("a blob that is held, kept and forgotten can be read twice", async () => {
  const spool = new Spool({ storage, memoryBytes: MiB, isHeld: true });
  spool.keep();
  for (let n = 100; n < 250; n += 1) await spool.write(chunk(n));
  await spool.forget();
  await fill(spool);
  assert.ok((await drained(spool.reading())).equals(expected));
  assert.ok((await drained(spool.rereading())).equals(expected));
});

test("a blob that is being read goes straight to its reader, each chunk needed until the next is asked for", async () => {
  const spool = new Spool({ storage, memoryBytes: MiB });
  const reading = spool.reading();
  const first = reading.next();
  let written = 0;
  const filling = (async () => {
    for (let n = 0; n < 100; n += 1) {
      await spool.write(chunk(n));
      written += 1;
    }
    await spool.end();
  })();
  await first;
  await new Promise(setImmediate);
  assert.equal(written, 0, "the reader may still look at the first chunk");
  await reading.next();
  await new Promise(setImmediate);
  assert.equal(written, 1);
  const rest = await drained(reading);
  await filling;
  assert.ok(rest.equals(expected.subarray(2 * 65536)));
  assert.deepEqual(await openFilesIn(directory), []);
});

test("a reader that catches up with the file goes on from memory, in order", async () => {
  const spool = new Spool({ storage, memoryBytes: 128 * 1024 });
  for (let n = 0; n < 60; n += 1) await spool.write(chunk(n));
  const all = drained(spool.reading());
  for (let n = 60; n < 100; n += 1) {
    await spool.write(chunk(n));
    if (n % 7 === 0) await new Promise(setImmediate);
  }
  await spool.end();
  assert.ok((await all).equals(expected));
});

describe("a blob that waits for its turn where the processors have enough to do", () => {
  test("leaves to the network what has no room in memory, until it is read", async () => {
    await using busy = busyStorage(() => true);
    const spool = new Spool({ storage: busy, memoryBytes: MiB });
    const filled = fill(spool);
    await busy.isAsked;
    assert.ok((await drained(spool.reading())).equals(expected));
    await filled;
    assert.deepEqual(await openFilesIn(directory), []);
  });

  test("goes into the file when they have time again", async () => {
    await using busy = busyStorage((question) => question < 3);
    const spool = new Spool({ storage: busy, memoryBytes: MiB });
    await fill(spool);
    assert.equal((await openFilesIn(directory)).length, 1);
    assert.ok((await drained(spool.reading())).equals(expected));
  });

  test("goes on a little after a second, so that no server gives it up", { timeout: 60_000 }, async () => {
    await using busy = busyStorage(() => true);
    const spool = new Spool({ storage: busy, memoryBytes: 99 * 65536 });
    await fill(spool);
    assert.equal((await openFilesIn(directory)).length, 1);
    assert.ok((await drained(spool.reading())).equals(expected));
  });

  test("ends with an error when the run does", async () => {
    await using busy = busyStorage(() => true);
    const spool = new Spool({ storage: busy, memoryBytes: MiB });
    const ended = assert.rejects(fill(spool), new Error("aborted"));
    await busy.isAsked;
    spool.fail(new Error("aborted"));
    await ended;
  });

  test("comes nevertheless if it cannot be read before all of it is there", async () => {
    await using busy = busyStorage(() => assert.fail("nobody need ask"));
    const spool = new Spool({ storage: busy, memoryBytes: MiB, isHeld: true });
    await fill(spool);
    assert.ok((await drained(spool.reading())).equals(expected));
  });
});

/** Storage that finds the processors busy or not, asked for the first, second … time; `isAsked` when it is. */
function busyStorage(isHigh: (question: number) => boolean): SpoolStorage & { readonly isAsked: Promise<void> } {
  let questions = 0;
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const processorUse = {
    get isHigh() {
      questions += 1;
      asked();
      return isHigh(questions);
    },
  };
  return Object.assign(new SpoolStorage({ directory, memoryBytes: 20 * MiB, processorUse }), { isAsked });
}

test("a blob that is kept can be read again", async () => {
  const spool = new Spool({ storage, memoryBytes: MiB });
  spool.keep();
  const first = drained(spool.reading());
  await fill(spool);
  assert.ok((await first).equals(expected));
  assert.ok((await drained(spool.rereading())).equals(expected));
});

test("a reader that waits for what does not come is told of its abort", { timeout: 20_000 }, async () => {
  const reason = new Error("enough");
  for (const isHeld of [false, true]) {
    const stop = new AbortController();
    const spool = new Spool({ storage, memoryBytes: MiB, isHeld });
    const reading = drained(spool.reading(stop.signal));
    await new Promise(setImmediate);
    stop.abort(reason);
    await assert.rejects(reading, (error) => error === reason);
  }
});

test("a failure reaches a reader that waits and a writer that waits", async () => {
  const failure = new Error("the connection broke");
  const spool = new Spool({ storage, memoryBytes: 65536 });
  const reading = spool.reading();
  await Promise.all([
    assert.rejects(drained(reading), failure),
    assert.rejects(async () => {
      for (let n = 0; n < 3; n += 1) await spool.write(chunk(n));
      spool.fail(failure);
      for (let n = 0; n < 10; n += 1) await spool.write(chunk(n));
    }, failure),
  ]);
});

test("all blobs that wait share an amount of memory and one file, whose blocks are used again", async () => {
  const spools = Array.from({ length: 8 }, () => new Spool({ storage, memoryBytes: 5 * MiB }));
  for (const spool of spools) await fill(spool); // 50 MiB, of which 20 are in memory
  const [full = 0, ...others] = await openFilesIn(directory);
  assert.deepEqual(others, []);
  assert.ok(full >= 30 * MiB, `${full} bytes in the file`);
  for (const spool of spools) assert.ok((await drained(spool.reading())).equals(expected));
  for (const spool of spools.map(() => new Spool({ storage, memoryBytes: 5 * MiB }))) await fill(spool);
  const [again = 0] = await openFilesIn(directory);
  assert.ok(again < full + 2 * MiB, `${again} bytes in the file after ${full}`);
});

test("chunks of single bytes wait in the same block of memory", async () => {
  const spool = new Spool({ storage, memoryBytes: MiB });
  const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, n) => n % 251));
  for (let n = 0; n < bytes.length; n += 1) await spool.write(bytes.subarray(n, n + 1));
  await spool.end();
  const others = Array.from({ length: 20 * 16 - 1 }, () => storage.takeMemory());
  assert.ok(!others.includes(undefined), "they took one block, and all others are left");
  assert.equal(storage.takeMemory(), undefined);
  assert.ok((await drained(spool.reading())).equals(bytes));
  assert.notEqual(storage.takeMemory(), undefined, "and have given it back");
});

test("disposing of what spools share closes the file", async () => {
  await fill(new Spool({ storage, memoryBytes: 0 }));
  await storage[Symbol.asyncDispose]();
  assert.deepEqual(await openFilesIn(directory), []);
});
