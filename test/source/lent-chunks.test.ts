import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { registrySource } from "../../src/registry/registry.ts";
import { Random } from "../model/random.ts";
import { authority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { described, type StoredDescriptor } from "../support/registry-double.ts";
import { closeAfter } from "../support/registry-reply.ts";
import { skipWithout } from "../support/tools.ts";
import { blob, distinctBytes, oneImage, puller } from "./pulling.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

test("memory of lent chunks is used again, and of others never", async () => {
  await using one = await oneImage({}, 8 * MiB);
  await using client = puller();
  for (const lends of [true, false]) {
    const memory = new Set<ArrayBufferLike>();
    const pieces: Uint8Array[] = [];
    for await (const chunk of client.image(one.name).blob(described(one.layer), { lends })) {
      memory.add(chunk.buffer);
      pieces.push(lends ? Buffer.from(chunk) : chunk);
    }
    assert.ok(Buffer.concat(pieces).equals(one.content));
    assert.ok(lends ? memory.size <= 4 : memory.size > 8, `${lends}: ${memory.size} pieces of memory`);
  }
});

test("a connection is used again after a long body, and after a long one without fault if it was closed", async () => {
  await using one = await oneImage({}, 2 * MiB);
  await using client = puller({ retries: 0 });
  const image = client.image(one.name);
  for (let count = 0; count < 3; count += 1) {
    assert.ok((await blob(image, one.layer)).equals(one.content));
    await image.manifest();
  }
  assert.deepEqual(new Set(one.registry.requests.map(({ connection }) => connection)), new Set([1]));
  assert.ok((await blob(image, one.layer)).equals(one.content));
  one.registry.next(/manifests/, closeAfter(-1)); // as if it had timed out just now
  await image.manifest();
  assert.equal(client.told("retrying").length, 0);
});

test("many long bodies at a time share as many connections as are allowed, and each is right", async () => {
  await using one = await oneImage({}, MiB);
  await using client = puller({ connections: 3 });
  const image = client.image(one.name);
  for (let round = 0; round < 2; round += 1) {
    const bodies = await Promise.all(Array.from({ length: 8 }, () => blob(image, one.layer)));
    for (const body of bodies) assert.ok(body.equals(one.content));
  }
  assert.equal(Math.max(...one.registry.requests.map(({ connection }) => connection)), 3);
});

test("a long body comes over TLS as it is, and its connection is used again", {
  skip: skipWithout("openssl"),
}, async () => {
  const own = await authority();
  await using one = await oneImage({ tls: await own.issue() }, 6 * MiB);
  await using client = puller({ tls: { ca: [own.cert] } });
  for (let count = 0; count < 3; count += 1) {
    const pieces: Buffer[] = [];
    for await (const chunk of client.image(one.name).blob(described(one.layer), { lends: true })) {
      pieces.push(Buffer.from(chunk));
      if (pieces.length % 5 === 0) await new Promise(setImmediate); // more comes meanwhile, and waits
    }
    assert.ok(Buffer.concat(pieces).equals(one.content));
  }
  assert.deepEqual(new Set(one.registry.requests.map(({ connection }) => connection)), new Set([1]));
});

/** Answers each request with bytes of a program's own, and says how many connections there were. */
async function serving(answer: (socket: Socket) => void) {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  return {
    host: `127.0.0.1:${port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const digest = `sha256:${"0".repeat(64)}`;

function descriptorOf(content: Buffer): StoredDescriptor {
  return { mediaType: "application/octet-stream", digest, size: content.length } as StoredDescriptor;
}

function headOf(content: Buffer, ...lines: string[]): Buffer {
  return Buffer.from(["HTTP/1.1 200 OK", `Content-Length: ${content.length}`, ...lines, "", ""].join("\r\n"));
}

test("a body ends where its length says, whatever comes behind it, and then its connection is left", async () => {
  for (const size of [70 * KiB, 300 * KiB, 2 * MiB]) {
    for (const extra of [0, 1000, size]) {
      const content = distinctBytes(size);
      const behind = Buffer.concat([headOf(content), Buffer.alloc(extra, "x")]);
      await using server = await serving((socket) => {
        socket.write(Buffer.concat([headOf(content), content, behind]));
      });
      await using client = puller();
      const image = client.image(`${server.host}/a/b`);
      for (let count = 0; count < 2; count += 1) {
        assert.ok((await blob(image, descriptorOf(content))).equals(content), "nothing of the second answer is taken");
      }
      assert.equal(server.connections(), 2);
    }
  }
});

test("a server that says that it closes the connection is not asked over it again", async () => {
  const content = distinctBytes(MiB);
  await using server = await serving((socket) => {
    socket.write(Buffer.concat([headOf(content, "Connection: close"), content]));
  });
  await using client = puller();
  for (let count = 0; count < 2; count += 1) {
    assert.ok((await blob(client.image(`${server.host}/a/b`), descriptorOf(content))).equals(content));
  }
  assert.equal(server.connections(), 2);
});

test("what comes on an idle connection closes it", async () => {
  const content = distinctBytes(MiB);
  const open: Socket[] = [];
  await using server = await serving((socket) => {
    open.push(socket);
    socket.write(Buffer.concat([headOf(content), content]));
  });
  await using client = puller();
  const image = client.image(`${server.host}/a/b`);
  await blob(image, descriptorOf(content));
  open[0]?.write(headOf(content)); // an answer that nobody asked for
  await eventually(
    () => open[0]?.destroyed === true,
    () => "the connection stays open",
  );
  assert.ok((await blob(image, descriptorOf(content))).equals(content));
  assert.equal(server.connections(), 2);
});

test("what nobody read of a long body is no answer to the next request", async () => {
  const content = distinctBytes(MiB);
  const halves = [content.subarray(0, MiB / 2), content.subarray(MiB / 2)];
  const first = new Set<Socket>();
  await using server = await serving((socket) => {
    const [half, rest] = halves;
    if (first.size === 0) socket.write(Buffer.concat([headOf(content), half ?? content]));
    else if (first.has(socket)) socket.write(rest ?? content);
    else socket.write(Buffer.concat([headOf(content), content]));
    first.add(socket);
  });
  await using client = puller({ retries: 0 });
  const image = client.image(`${server.host}/a/b`);
  for await (const _ of image.blob(described(descriptorOf(content)), { lends: true })) break;
  assert.ok((await blob(image, descriptorOf(content))).equals(content));
  assert.equal(server.connections(), 2);
});

test("wherever packets end, in the head or in the body, the bytes are the body's", async () => {
  for (let seed = 0; seed < 30; seed += 1) {
    const random = new Random(seed);
    const content = distinctBytes(
      random.oneOf([64 * KiB, 65 * KiB, 128 * KiB, 700 * KiB]) + random.below(2000),
      seed + 1,
    );
    const whole = Buffer.concat([headOf(content), content]);
    const most = random.oneOf([100, 5_000, 100_000]);
    await using server = await serving(async (socket) => {
      for (let at = 0; at < whole.length; ) {
        // The first bytes in small pieces, the others with pauses now and then.
        const end = at + 1 + random.below(at < 300 ? 90 : random.oneOf([most, 200_000]));
        socket.write(whole.subarray(at, end));
        at = end;
        if (random.chance(at < 300 ? 0.7 : 0.1)) await new Promise(setImmediate);
      }
    });
    await using source = registrySource();
    const image = source.image(`${server.host}/a/b`);
    const pieces: Buffer[] = [];
    for await (const chunk of image.blob(described(descriptorOf(content)), { lends: true })) {
      pieces.push(Buffer.from(chunk));
      if (random.chance(0.2)) await new Promise(setImmediate);
      assert.equal(Buffer.compare(chunk, pieces.at(-1) ?? chunk), 0, `seed ${seed}: lent bytes change`);
    }
    assert.ok(Buffer.concat(pieces).equals(content), `seed ${seed}`);
  }
});
