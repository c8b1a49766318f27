import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type HistoryResult, history, registrySource, storedSource } from "../../src/index.ts";
import { type Stage, setStage } from "../store/stage.ts";
import { type Image, image } from "../support/image.ts";
import { directory, file, hardlink, opaque, symlink, tar, whiteout } from "../support/tar-builder.ts";
import { half } from "../support/thorough.ts";

const platform = "linux/amd64";

const layered = image(
  [
    tar(directory("etc"), file("etc/conf", "1"), directory("var"), file("var/a", "a"), file("usr/lib/so", "so")),
    tar(file("etc/conf", "22"), file("var/b", "b"), symlink("lib", "usr/lib"), hardlink("etc/same", "etc/conf")),
    tar(file("etc/conf", "22", { mode: 0o600 }), opaque("var"), file("lib/new", "n")),
    tar(whiteout("etc/conf"), file("usr/lib", "no directory any more")),
  ],
  {
    config: {
      history: [
        { created: "2026-01-02T03:04:05Z", created_by: "ADD base" },
        { created_by: "ENV A=1", empty_layer: true },
        { created_by: "RUN second" },
        { created_by: "RUN third" },
        { created_by: "RUN fourth" },
      ],
    },
  },
);

test("each layer is told with what it added, changed and removed, and the step that made it", async () => {
  await using stage = await setStage(layered);
  const { layers, path, events, now } = await told(stage);
  assert.deepEqual([path, events, now], [undefined, undefined, undefined]);
  assert.deepEqual(
    layers.map(({ layer, added, changed, removed, createdBy }) => [layer, added, changed, removed, createdBy]),
    [
      // usr and usr/lib are implied.
      [0, 7, 0, 0, "ADD base"],
      [1, 3, 1, 0, "RUN second"],
      // The link keeps the file that it was made to; var/a and var/b go.
      [2, 1, 1, 2, "RUN third"],
      // usr/lib becomes a file, and what was in it goes.
      [3, 0, 1, 3, "RUN fourth"],
    ],
  );
  assert.equal(layers[0]?.created, "2026-01-02T03:04:05Z");
  assert.deepEqual(
    layers.map(({ digest, sizeBytes }) => [digest, sizeBytes]),
    layered.layers.map(({ descriptor }) => [descriptor.digest, descriptor.size]),
  );
});

const paths: readonly [path: string, events: readonly string[], isThere: boolean][] = [
  ["/etc/conf", ["3 removed", "2 changed mode", "1 replaced size content", "0 added"], false],
  ["etc/same", ["1 added"], true],
  ["var/a", ["2 hidden", "0 added"], false],
  ["usr/lib/so", ["3 hidden", "0 added"], false],
  ["usr/lib", ["3 replaced type", "0 added"], true],
  ["lib", ["1 added"], true],
  ["var", ["0 added"], true],
];
for (const [path, expected, isThere] of half(paths)) {
  test(`the history of ${path} is told, the newest first`, async () => {
    await using stage = await setStage(layered);
    const { events = [], now } = await told(stage, path);
    assert.deepEqual(
      events.map(({ layer, kind, parts = [] }) => [layer, kind, ...parts].join(" ")),
      expected,
    );
    assert.equal(now !== null, isThere);
  });
}

test("a file that gets a further name is told of, and one that is replaced by the same", async () => {
  const one = image([tar(file("a", "1"), file("b", "2")), tar(hardlink("c", "a"), file("b", "2"))]);
  await using stage = await setStage(one);
  const kinds = async (path: string) => (await told(stage, path)).events?.map(({ kind, parts }) => [kind, parts]);
  assert.deepEqual(await kinds("a"), [
    ["linked", undefined],
    ["added", undefined],
  ]);
  assert.deepEqual(await kinds("b"), [
    ["replaced", undefined],
    ["added", undefined],
  ]);
  assert.deepEqual(await kinds("c"), [["added", undefined]]);
});

test("a path leads through symlinks as in a container, and the result says where it led", async () => {
  const one = image([tar(file("usr/bin/sh", "1")), tar(symlink("bin", "/usr/bin"), file("usr/bin/sh", "2"))]);
  await using stage = await setStage(one);
  const { path, events = [], now } = await told(stage, "/bin/../bin/./sh");
  assert.deepEqual([path, events.map(({ kind }) => kind), now?.layer], ["usr/bin/sh", ["replaced", "added"], 1]);
  assert.equal((await told(stage, "bin/")).path, "usr/bin");
  assert.equal((await told(stage, "bin")).now?.type, "symlink");
  const root = await told(stage, "/");
  assert.deepEqual([root.path, root.events, root.now?.path, root.now?.type], [".", [], ".", "directory"]);
});

test("a path at which nothing ever was is not found, with the next step", async () => {
  await using stage = await setStage(layered);
  await assert.rejects(told(stage, "etc/never"), { code: "NOT_FOUND", details: { path: "etc/never" } });
});

test("where there are not as many steps as layers, none is told", async () => {
  const one = image([tar(file("a"))], { config: { history: [{ created_by: "one" }, { created_by: "two" }] } });
  await using stage = await setStage(one);
  assert.equal((await told(stage)).layers[0]?.createdBy, undefined);
});

test("a second time the indexes of the layers tell it, also offline and without the layers", async () => {
  await using stage = await setStage(layered);
  const first = await told(stage, "etc/conf");
  for (const { descriptor } of layered.layers)
    rmSync(join(stage.store.directory, "blobs", descriptor.digest.replace(":", "/")));
  stage.asked();
  assert.deepEqual(withoutTime(await told(stage, "etc/conf")), withoutTime(first));
  assert.deepEqual(
    stage.asked().filter((path) => isLayer(path, layered)),
    [],
  );
  assert.deepEqual(withoutTime(await told(stage, "etc/conf", true)), withoutTime(first));
});

test("what a layer changes counts as memory", async () => {
  const members = Array.from({ length: 2000 }, (_, number) => file(`${"n".repeat(200)}${number}`));
  await using stage = await setStage(image([tar(...members)]));
  await using source = storedSource(registrySource(), stage.store);
  // The files alone take 0.9 MB.
  const limits = { memoryBytes: 1_200_000 };
  await assert.rejects(history(stage.reference, undefined, { source, platform, limits }), { code: "LIMIT_EXCEEDED" });
});

async function told(stage: Stage, path?: string, offline = false): Promise<HistoryResult> {
  await using source = storedSource(registrySource({ retries: 0 }), stage.store, { offline });
  return await history(stage.reference, path, { source, platform });
}

function withoutTime({ milliseconds: _milliseconds, ...result }: HistoryResult) {
  return result;
}

function isLayer(path: string, { layers }: Image): boolean {
  return layers.some(({ descriptor }) => path.includes(descriptor.digest));
}
