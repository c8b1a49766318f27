import assert from "node:assert/strict";
import { mkdtemp, readdir, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { Spool } from "../../src/blob/spool.ts";

const MiB = 1024 * 1024;
let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "oci-unpack-spool-"));
});
afterEach(() => rm(directory, { recursive: true }));

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

async function filesOpenIn(path: string): Promise<number> {
  const links = await Promise.all(
    (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")),
  );
  return links.filter((link) => link.startsWith(path)).length;
}

test("a blob that arrives before its turn overflows into a file without a name, and comes out in order", async () => {
  await using spool = new Spool({ directory, memoryBytes: MiB });
  await fill(spool);
  assert.equal(await filesOpenIn(directory), 1);
  assert.deepEqual(await readdir(directory), []);
  assert.ok((await drained(spool.reading())).equals(expected));
});

test("a blob in which nobody reads on still arrives, and turns out to be right or wrong", async () => {
  const wrong = new Error("its digest is another");
  for (const error of [undefined, wrong]) {
    await using spool = new Spool({ directory, memoryBytes: MiB });
    const begun = spool.reading().next();
    await spool.write(chunk(0));
    await begun;
    const proven = spool.proven();
    for (let n = 0; n < 100; n += 1) await spool.write(chunk(n));
    if (error === undefined) await spool.end();
    else spool.fail(error);
    await (error === undefined ? proven : assert.rejects(proven, wrong));
    assert.equal(await filesOpenIn(directory), 0, "nothing of it is kept");
  }
});

test("a blob that is held comes out when it is proven, without what was forgotten before", async () => {
  await using spool = new Spool({ directory, memoryBytes: MiB, isHeld: true });
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
  await using spool = new Spool({ directory, memoryBytes: MiB, isHeld: true });
  spool.keep();
  for (let n = 100; n < 250; n += 1) await spool.write(chunk(n));
  await spool.forget();
  await fill(spool);
  assert.ok((await drained(spool.reading())).equals(expected));
  assert.ok((await drained(spool.rereading())).equals(expected));
});

test("a blob that is being read waits in memory: the download waits, and no file is made", async () => {
  await using spool = new Spool({ directory, memoryBytes: MiB });
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
  assert.ok(written <= 17, `${written} chunks were accepted where 16 fit`);
  const rest = await drained(reading);
  await filling;
  assert.equal(rest.length, expected.length - 65536);
  assert.equal(await filesOpenIn(directory), 0);
});

test("a reader that catches up with the file goes on from memory, in order", async () => {
  await using spool = new Spool({ directory, memoryBytes: 128 * 1024 });
  for (let n = 0; n < 60; n += 1) await spool.write(chunk(n));
  const all = drained(spool.reading());
  for (let n = 60; n < 100; n += 1) {
    await spool.write(chunk(n));
    if (n % 7 === 0) await new Promise(setImmediate);
  }
  await spool.end();
  assert.ok((await all).equals(expected));
});

test("a blob that is kept can be read again", async () => {
  await using spool = new Spool({ directory, memoryBytes: MiB });
  spool.keep();
  const first = drained(spool.reading());
  await fill(spool);
  assert.ok((await first).equals(expected));
  assert.ok((await drained(spool.rereading())).equals(expected));
});

test("a failure reaches a reader that waits and a writer that waits", async () => {
  const failure = new Error("the connection broke");
  await using spool = new Spool({ directory, memoryBytes: 65536 });
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

test("disposing of a spool closes its file", async () => {
  {
    await using spool = new Spool({ directory, memoryBytes: 0 });
    await fill(spool);
  }
  assert.equal(await filesOpenIn(directory), 0);
});
