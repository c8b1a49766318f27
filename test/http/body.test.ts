import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { test } from "node:test";
import { ByteCollector } from "../../src/http/body.ts";
import type { Connection } from "../../src/http/connection.ts";
import { DirectBody } from "../../src/http/direct-body.ts";
import { Random } from "../model/random.ts";
import { distinctBytes } from "../source/pulling.ts";

test("bytes come together as they came, whatever the pieces", () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = new Random(seed);
    const bytes = distinctBytes(100_000, seed + 1);
    const gathered = new ByteCollector();
    for (let start = 0; start < bytes.length; ) {
      const end = start + random.oneOf([0, 1, 2, 100, 1023, 1024, 5000]);
      gathered.add(bytes.subarray(start, end));
      start = end;
    }
    assert.ok(gathered.whole().equals(bytes));
    assert.equal(gathered.size, bytes.length);
  }
});

test("a body of single bytes is held in pieces that are worth it", () => {
  const bytes = distinctBytes(1_000_000);
  const gathered = new ByteCollector();
  for (let at = 0; at < bytes.length; at += 1) gathered.add(bytes.subarray(at, at + 1));
  assert.ok(gathered.pieces().length < 70);
  assert.ok(gathered.whole().equals(bytes));
});

/** The rest of a body whose bytes the test gives it, and what became of its connection. */
function directBody(restBytes: number, beginning: Buffer[] = []) {
  const fate: string[] = [];
  const connection = {
    takeOver: () => ({ blocks: [new Uint8Array(400_000), new Uint8Array(400_000)], resume() {} }),
    release: () => fate.push("released"),
    destroy: () => fate.push("destroyed"),
  } as unknown as Connection;
  const incoming = { read: () => beginning.shift() ?? null } as unknown as IncomingMessage;
  return { body: new DirectBody(incoming, connection, restBytes, () => true), fate };
}

test("small pieces of a long body are gathered, and what is left at its end is not waited for", async () => {
  const bytes = distinctBytes(100 * 1400);
  const { body, fate } = directBody(bytes.length);
  const chunks = body[Symbol.asyncIterator]();
  const first = chunks.next();
  await new Promise(setImmediate);
  for (let at = 0; at < bytes.length; at += 1400) {
    const space = body.space();
    space.set(bytes.subarray(at, at + 1400)); // as the system does
    assert.equal(body.received(space.subarray(0, 1400)), at + 1400 < bytes.length);
  }
  const given = [(await first).value, (await chunks.next()).value].map((chunk) => Buffer.from(chunk ?? []));
  assert.deepEqual(
    given.map(({ length }) => length),
    [47 * 1400, 53 * 1400],
  );
  assert.ok(Buffer.concat(given).equals(bytes));
  assert.equal((await chunks.next()).done, true);
  assert.deepEqual(fate, ["released"]);
});

test("what comes although no more was asked for is kept, however much it is", async () => {
  const bytes = distinctBytes(2_000_000);
  const { body } = directBody(bytes.length - 10, [Buffer.from(bytes.subarray(0, 10))]);
  let mayCome = true;
  for (let at = 10; at < bytes.length; at += 16_384) {
    const space = body.space();
    assert.ok(space.length > 0);
    const length = Math.min(16_384, space.length, bytes.length - at);
    space.set(bytes.subarray(at, at + length));
    mayCome = body.received(space.subarray(0, length)) && mayCome;
    at -= 16_384 - length;
  }
  assert.equal(mayCome, false);
  const pieces: Buffer[] = [];
  for await (const chunk of body) pieces.push(Buffer.from(chunk));
  assert.ok(Buffer.concat(pieces).equals(bytes));
});

test("a connection that breaks in a long body gives what had come, then its error, and is left", async () => {
  const { body, fate } = directBody(200_000);
  const broken = new Error("broken");
  const chunks = body[Symbol.asyncIterator]();
  const first = chunks.next();
  await new Promise(setImmediate);
  body.received(body.space().subarray(0, 1000));
  body.ended(broken);
  assert.equal((await first).value?.length, 1000);
  await assert.rejects(chunks.next(), (error) => error === broken);
  assert.deepEqual(fate, ["destroyed"]);
});
