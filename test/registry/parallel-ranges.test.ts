import assert from "node:assert/strict";
import { test } from "node:test";
import { blob, type OneImage, oneImage, puller } from "../source/pulling.ts";
import { eventually } from "../support/eventually.ts";
import { heldTimers } from "../support/held-timers.ts";
import { described } from "../support/registry-double.ts";
import { answer, drip, type Fault, hangAfter, type Reply, stating } from "../support/registry-reply.ts";

const MiB = 1024 * 1024;
const size = 73 * MiB + 12_345;
const blobs = /blobs/;
/** Slow enough to be noticed, and no slower. */
const slowly = drip(2 * MiB, 100, 8 * MiB);
const largeImage = () => oneImage({}, size);

/** The ends of the ranges that were asked for. */
function ranges({ registry }: OneImage): (readonly [first: number, last: number | undefined] | "everything")[] {
  return registry.requests.map(({ headers }) => {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
    return first === undefined ? "everything" : [Number(first), last ? Number(last) : undefined];
  });
}

test("R-59: where one connection is slow, several bring the rest, each part asked for by its ends", async () => {
  await using one = await largeImage();
  one.registry.next(blobs, slowly);
  await using client = puller({ connectionsPerBlob: 4 });
  assert.equal(Buffer.compare(await blob(client.image(one.name), one.layer), one.content), 0);
  const [whole, ...parts] = ranges(one);
  assert.equal(whole, "everything");
  const sorted = parts.filter((part) => part !== "everything").sort(([a], [b]) => a - b);
  for (const [index, [first, last]] of sorted.entries()) {
    assert.equal(last, (sorted[index + 1]?.[0] ?? size) - 1, `nothing is missing after ${first}`);
  }
  assert.ok((sorted[0]?.[0] ?? 0) >= 8 * MiB, "what had come is not asked for again");
  assert.ok(new Set(one.registry.requests.map(({ connection }) => connection)).size > 2);
});

test("R-59: one connection does where it is fast, where the blob is not large, and by default", async ({ mock }) => {
  await using large = await largeImage();
  await using fast = puller({ connectionsPerBlob: 4 });
  const { mock: clock } = mock.method(performance, "now", () => 0); // no byte is waited for, however busy the machine is
  await blob(fast.image(large.name), large.layer);
  clock.restore();
  large.registry.next(blobs, slowly);
  await using byDefault = puller();
  await blob(byDefault.image(large.name), large.layer);
  await using small = await oneImage({}, 20 * MiB);
  small.registry.next(blobs, slowly);
  await blob(fast.image(small.name), small.layer);
  assert.deepEqual([ranges(large), ranges(small)], [["everything", "everything"], ["everything"]]);
});

test("R-59: at the first lie one connection does the rest, and that host is remembered", async () => {
  const lies: Record<string, Fault> = {
    "another part": stating({ "content-range": `bytes 0-${8 * MiB - 1}/${size}` }),
    "no ETag any more": stating({ etag: undefined }),
  };
  for (const [name, lie] of Object.entries(lies)) {
    await using one = await largeImage();
    await using client = puller({ connectionsPerBlob: 4 });
    one.registry.next(blobs, slowly);
    one.registry.next(blobs, (reply) => reply);
    one.registry.next(blobs, lie);
    assert.equal(Buffer.compare(await blob(client.image(one.name), one.layer), one.content), 0, name);
    const last = ranges(one).at(-1);
    assert.ok(last !== undefined && last !== "everything" && last[1] === undefined, `${name}: ${last}`);
  }
  await using one = await largeImage();
  await using client = puller({ connectionsPerBlob: 4 });
  for (const fault of [slowly, answer(416), (reply: Reply) => reply, slowly]) one.registry.next(blobs, fault);
  await blob(client.image(one.name), one.layer);
  await blob(client.image(one.name), one.layer);
  assert.equal(ranges(one).at(-1), "everything");
});

test("R-59: a server that promises no ranges is not asked for any", async () => {
  await using one = await largeImage();
  await using client = puller({ connectionsPerBlob: 4 });
  one.registry.next(blobs, (reply, request) =>
    slowly(stating({ "accept-ranges": undefined })(reply, request), request),
  );
  await blob(client.image(one.name), one.layer);
  assert.deepEqual(ranges(one), ["everything"]);
});

test("R-59: a part that breaks off, stalls or is refused is asked for again, what came before is not", async (context) => {
  const clock = heldTimers(context, 1_000);
  for (const [fault, isSilent] of [
    [hangAfter(MiB), true],
    [answer(503), false],
  ] as const) {
    await using one = await largeImage();
    await using client = puller({ connectionsPerBlob: 2, deadlines: { stallMilliseconds: 1_000 } });
    one.registry.next(blobs, slowly);
    one.registry.next(blobs, (reply) => reply, 3);
    one.registry.next(blobs, fault);
    const reading = blob(client.image(one.name), one.layer);
    await eventually(
      () => {
        const isOver = client.told("retrying").length > 0;
        if (isSilent && !isOver && one.registry.requests.length >= 5) clock.move(1_000);
        return isOver;
      },
      () => "nothing is asked for again",
    );
    assert.equal(Buffer.compare(await reading, one.content), 0);
    assert.equal(client.told("retrying").length, 1);
    assert.equal(ranges(one).filter((range) => range === "everything").length, 1);
  }
});

test("R-59: ending early ends all connections", async () => {
  await using one = await largeImage();
  await using client = puller({ connectionsPerBlob: 4, deadlines: { stallMilliseconds: 60_000 } });
  one.registry.next(blobs, slowly);
  one.registry.always(blobs, hangAfter(10));
  const abort = new AbortController();
  const reason = new Error("enough");
  const reading = (async () => {
    for await (const _ of client.image(one.name).blob(described(one.layer), { signal: abort.signal })) {
      if (one.registry.requests.length > 1) abort.abort(reason);
    }
  })();
  const watch = setInterval(() => one.registry.requests.length > 2 && abort.abort(reason), 5);
  await assert.rejects(reading, (error) => error === reason).finally(() => clearInterval(watch));
  await eventually(
    () => one.registry.openConnections === 0,
    () => `${one.registry.openConnections} connections stay open`,
  );
});
