import assert from "node:assert/strict";
import { test } from "node:test";
import type { ZlibOptions } from "node:zlib";
import { type BodyName, body, bodyNames } from "./bodies.ts";
import { bufferEnds, inputEnd, near, runEnds } from "./boundaries.ts";
import { endings, type Form, flushes } from "./deflate-codec.ts";
import { problemsOfStreams } from "./generator.ts";
import { Beginning, GzipMembers, strategies } from "./gzip-member.ts";
import { problemOf } from "./reading.ts";
import { type Stream, withRest } from "./stream.ts";
import { cutBefore, lastBytes } from "./way.ts";

/*
 * Streams that end where a buffer of the product does, or a little before or after it. `npm run streams` tries as many
 * more as one likes.
 */

const junk = Buffer.from("what follows the stream");
const historyBytes = 300;

/** One combination of all levels, strategies, endings and flushes after the other. */
function* encodings(): Generator<{ readonly options: ZlibOptions; readonly forms: readonly Form[] }, never> {
  const forms = endings.flatMap((ending) =>
    [[], ...flushes.map((flush) => [flush])].map((flushes) => ({ ending, flushes })),
  );
  for (let index = 0; ; index += 1) {
    const strategy = strategies[index % strategies.length] ?? 0;
    const level = Math.floor(index / strategies.length) % 10;
    yield { options: { level, strategy, memLevel: 1 + (index % 9), windowBits: 9 + (index % 7) }, forms };
  }
}

const nextEncoding = encodings();

/** Streams of every size near that one, `rounds` times, each time encoded and cut in another way. */
function assertReadNear(end: number, name: BodyName, level: number, rounds: number): void {
  const beginning = new Beginning(name, Math.max(0, end - near - 1 - (end % 40)), { level });
  for (let round = 0; round < rounds; round += 1) {
    const { options, forms } = nextEncoding.next().value;
    const members = new GzipMembers(beginning, options, historyBytes);
    for (let size = end - near; size <= end + near; size += 1) {
      const more = body(name, size).subarray(beginning.content.length);
      const form = forms[(size + round) % forms.length] ?? { ending: "last block", flushes: [] };
      const member = members.member(more, form);
      assertRead(withRest(member, 0, junk), junk.length + ((size * (round + 3)) % (lastBytes + 1)));
    }
    members.close();
  }
}

function assertRead(stream: Stream, cutBytes: number): void {
  const problem = problemOf(stream, cutBefore(stream.compressed.length, cutBytes));
  assert.equal(problem, undefined, `${stream.name}, cut ${cutBytes} before its end`);
}

test("gzip members that end where the inflater's output is full are read to their end, and no further", () => {
  for (const end of bufferEnds.output.slice(0, 2)) {
    for (const name of ["zeros", "pattern"] as const) assertReadNear(end, name, 6, 10);
    for (const name of ["text", "digits", "noise"] as const) assertReadNear(end, name, 1, 2);
  }
});

test("gzip members that end where a match went beyond the inflater's output are read to their end, and no further", () => {
  for (const name of bodyNames) {
    for (const end of runEnds(name, 6).slice(0, 3)) assertReadNear(end, name, 6, 2);
  }
});

test("gzip members that end where the window does are read to their end, and no further", () => {
  for (const end of bufferEnds.window) {
    for (const name of bodyNames) assertReadNear(end, name, 6, 2);
  }
});

test("gzip members that end where the inflater's input does are read to their end, and no further", () => {
  for (const end of bufferEnds.input) {
    for (const level of [0, 6]) assertReadNear(inputEnd("noise", end, level), "noise", level, 2);
  }
});

test("gzip members that end where a ring does are read to their end, and no further", () => {
  for (const end of bufferEnds.rings.slice(0, 2)) assertReadNear(end, "zeros", 9, 4);
});

test("a gzip member's last bytes may come in any chunks", () => {
  const beginning = new Beginning("zeros", bufferEnds.output[0] - 40, { level: 9 });
  const members = new GzipMembers(beginning, { level: 9 }, historyBytes);
  for (const ending of endings) {
    const { compressed, ...member } = members.member(body("zeros", 41), { ending, flushes: [] });
    const trailerBytes = 8;
    // Every bit says whether it is cut before a byte, from the trailer's third one back.
    const places = Array.from({ length: 10 }, (_, index) => compressed.length - trailerBytes + 2 - index).reverse();
    for (let bits = 0; bits < 2 ** places.length; bits += 1) {
      const cuts = places.filter((_, index) => bits & (1 << index));
      assert.equal(
        problemOf({ compressed, ...member }, { cuts, spaceBytes: 1 << 19 }),
        undefined,
        `${ending}: ${cuts}`,
      );
    }
  }
});

test("thousands of gzip members of chance, alone and in a row, are read to their end, and no further", () => {
  const kinds = { "small gzip": 3, "gzip near the end of a buffer": 1 };
  for (const problem of problemsOfStreams(2000, 1, kinds)) assert.equal(problem, undefined);
});
