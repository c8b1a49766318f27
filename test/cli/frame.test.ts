import assert from "node:assert/strict";
import { test } from "node:test";
import { paintFor } from "../../src/cli/display.ts";
import { type FrameStyle, frame, Rate } from "../../src/cli/frame.ts";
import { Tally } from "../../src/cli/tally.ts";
import type { OciUnpackEvent } from "../../src/index.ts";
import { downloading, resolved, started, unpacked, unpacking } from "./progress-events.ts";

const MB = 1_000_000;
const plain = paintFor({ write() {} }, {});
const style: FrameStyle = { columns: 100, rows: 24, unicode: true, paint: plain };
const unknown = { download: undefined, unpack: undefined };

test("a picture shows what is downloaded and what is unpacked, layer by layer", () => {
  const tally = tallied(
    resolved(54 * MB, 72 * MB, 10 * MB),
    downloading(0, 54 * MB, 54 * MB),
    started(0),
    unpacking(0, 27 * MB, 54 * MB, 1234),
    downloading(1, 18 * MB, 72 * MB),
  );
  assert.deepEqual(frame(tally, { download: 16 * MB, unpack: 1 * MB }, style), [
    "registry.example/app:1  linux/amd64  3 layers, 136 MB",
    "    1/3  download ███████████████████████ 54.0 MB  unpack ███████████░░░░░░░░░░░░ 1,234 entries",
    "    2/3  download █████░░░░░░░░░░░░░░░░░░ 72.0 MB  unpack ░░░░░░░░░░░░░░░░░░░░░░░",
    "  72.0 MB of 136 MB   16.0 MB/s   1 min 49 s left   0 of 3 layers unpacked",
  ]);
});

test("a layer that is done takes no line any more", () => {
  const tally = tallied(resolved(MB, MB), downloading(0, MB, MB), started(0), unpacked(0, 10));
  assert.deepEqual(frame(tally, unknown, style).slice(1), ["  1.00 MB of 2.00 MB   1 of 2 layers unpacked"]);
});

test("a blob that several layers share is counted once", () => {
  const twice = resolved(MB, MB);
  assert.ok(twice.type === "resolved");
  const [first] = twice.layers;
  assert.ok(first);
  const tally = tallied({ ...twice, layers: [first, first], totalBytes: MB }, downloading(0, MB / 2, MB));
  assert.equal(tally.downloadedBytes(), MB / 2);
  assert.equal(frame(tally, unknown, style).at(-1), "  500 kB of 1.00 MB   0 of 2 layers unpacked");
});

test("a picture is lower than the terminal, however many layers are at work", () => {
  const layers = Array.from({ length: 60 }, () => MB);
  const tally = tallied(
    resolved(...layers),
    ...layers.map((size, layer) => downloading(layer, layer < 50 ? size : size / 2, size)),
    started(7),
  );
  for (const rows of [3, 5, 10, 24, 100]) {
    const lines = frame(tally, unknown, { ...style, rows });
    assert.ok(lines.length < Math.max(rows, 4), `${lines.length} lines in ${rows} rows`);
  }
  const lines = frame(tally, unknown, { ...style, rows: 8 });
  const shown = lines.slice(1, 5).map((line) => line.trim().split(" ")[0]);
  assert.deepEqual(shown, ["8/60", "51/60", "52/60", "53/60"], "first what is unpacked, then what arrives");
  assert.equal(lines[5], "  and 56 more");
});

test("a narrow terminal gets percentages instead of bars, and no line is cut", () => {
  const tally = tallied(resolved(MB), downloading(0, MB / 2, MB), started(0), unpacking(0, MB / 4, MB, 3));
  const lines = frame(tally, unknown, { ...style, columns: 60 });
  assert.equal(lines[1], "    1/1  download  50%  unpack  25%");
  for (const line of lines) assert.ok(line.length < 60, line);
});

test("every line with bars fits its terminal, even with the longest numbers", () => {
  const tally = tallied(
    resolved(999_400_000_000),
    downloading(0, 999_000_000_000, 999_400_000_000),
    started(0),
    unpacking(0, 998_000_000_000, 999_400_000_000, 9_999_999),
  );
  for (let columns = 80; columns <= 200; columns++) {
    const line = frame(tally, unknown, { ...style, columns })[1] ?? "";
    assert.ok(line.length < columns, `${line.length} of ${columns}: ${line}`);
  }
});

test("without a UTF-8 locale bars are made of ASCII", () => {
  const tally = tallied(resolved(MB), downloading(0, MB / 2, MB), started(0));
  const text = frame(tally, unknown, { ...style, unicode: false }).join("");
  assert.ok(text.includes("#------") || text.includes("##-----") || text.includes("#######-"), text);
  assert.equal(/[^ -~]/.test(text), false);
});

test("an empty layer is whole from the beginning", () => {
  const tally = tallied(resolved(0), started(0));
  assert.ok(frame(tally, unknown, { ...style, columns: 60 })[1]?.includes("100%"));
});

test("a rate is that of the last seconds, and none is made up", () => {
  const rate = new Rate();
  rate.sample(0, 0);
  assert.equal(rate.perSecond(), undefined);
  rate.sample(1000, 5000);
  assert.equal(rate.perSecond(), 5000);
  for (let time = 2000; time <= 9000; time += 1000) rate.sample(time, 5000);
  assert.equal(rate.perSecond(), 0, "a download that stalled has no rate");
});

function tallied(...events: readonly OciUnpackEvent[]): Tally {
  const tally = new Tally();
  for (const event of events) tally.record(event);
  return tally;
}
