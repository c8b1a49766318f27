import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, readlink, rename, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { type OverlayOptions, store, unpack, unpackOverlay } from "../../src/index.ts";
import { ordinaryUser, program, skipWithoutUserNamespaces } from "../hostile/as-user.ts";
import { outcomeOf, output } from "../support/command.ts";
import { type Image, image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type RegistryDouble, startRegistry } from "../support/registry-double.ts";
import { withBody } from "../support/registry-reply.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, hardlink, opaque, tar, whiteout } from "../support/tar-builder.ts";
import { skipUnlessOverlays } from "../support/tools.ts";
import { readTree, type Tree, type TreeItem } from "../support/tree.ts";

const sample = image(sampleLayers());
const skip = skipUnlessOverlays();
const amd64 = { platform: "linux/amd64" };

interface Stage extends Scratch {
  readonly registry: RegistryDouble;
  readonly reference: string;
  path(...names: readonly string[]): string;
}

async function setStage(one: Image = sample): Promise<Stage> {
  const place = await scratch();
  const registry = await startRegistry();
  return {
    directory: place.directory,
    registry,
    reference: stored(registry, "some/image", one),
    path: (...names) => join(place.directory, ...names),
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
}

/** What the script shows, in a mount namespace that goes afterwards. */
async function shownBy(script: string, place: string): Promise<Tree> {
  const outcome = join(place, "shown.json");
  const reader = fileURLToPath(new URL("shown-reader.js", import.meta.url));
  await output("unshare", ["--mount", process.execPath, reader, script, join(place, "point"), outcome]);
  return JSON.parse(await readFile(outcome, "utf8"));
}

describe("an image as an overlay", { skip }, () => {
  for (const overlay of ["privileged", "userxattr"] as const) {
    test(`shows what unpacking it into a directory makes (${overlay})`, async () => {
      await using stage = await setStage();
      const plain = await unpack(stage.reference, stage.path("plain"), amd64);
      const result = await unpackOverlay(stage.reference, stage.path("overlay"), { ...amd64, overlay });
      assert.deepEqual(
        withoutLinksAcross(await shownBy(result.script, stage.directory)),
        withoutLinksAcross(readTree(plain.rootfs)),
      );
      assert.deepEqual((await readdir(stage.path("overlay"))).sort(), ["config.json", "layers", "mount.sh"]);
      assert.deepEqual(await readFile(result.config), Buffer.from(sample.config.bytes));
      assert.equal(result.entries, plain.entries);
      assert.equal(result.warnings.LINK_COPIED, 3);
    });
  }

  test("can be written to, and its layers stay as they are", async () => {
    await using stage = await setStage();
    const { script, layerDirectories: layers } = await unpackOverlay(stage.reference, stage.path("overlay"), amd64);
    const before = layers.map((layer) => readTree(layer));
    const change = `echo new > ${stage.path("point")}/etc/hosts; rm -r ${stage.path("point")}/bin`;
    await output("unshare", ["--mount", "sh", "-c", `sh ${script} ${stage.path("point")} && ${change}`]);
    assert.deepEqual(
      layers.map((layer) => readTree(layer)),
      before,
    );
    assert.equal(await readFile(stage.path("overlay/layers/upper/etc/hosts"), "utf8"), "new\n");
  });

  test("is mounted where that is wished, or leaves nothing behind", async () => {
    await using stage = await setStage();
    const options: OverlayOptions = { ...amd64, mount: stage.path("point/made") };
    const { mount } = await unpackOverlay(stage.reference, stage.path("overlay"), options);
    assert.equal(mount, stage.path("point/made"));
    try {
      assert.equal(await readFile(join(stage.path("point/made"), "etc/hosts"), "utf8"), "127.0.0.1 localhost\n");
    } finally {
      execFileSync("umount", [stage.path("point/made")]);
    }
    await writeFile(stage.path("file"), "");
    const impossible = { ...amd64, mount: stage.path("file/point") };
    await assert.rejects(unpackOverlay(stage.reference, stage.path("other"), impossible), { code: "FILE_SYSTEM" });
    assert.deepEqual((await readdir(stage.directory)).sort(), ["file", "overlay", "point"]);
  });

  test("may have no layers, one, or more than fit into one page by their full names", async () => {
    const many = Array.from({ length: 150 }, (_, index) => tar(file(`file-${index}`, String(index))));
    for (const layers of [[], many.slice(0, 1), many]) {
      await using stage = await setStage(image(layers));
      const { script } = await unpackOverlay(stage.reference, stage.path("overlay"), amd64);
      const shown = await shownBy(script, stage.directory);
      assert.equal(Object.keys(shown).length, layers.length + 1);
      assert.equal(shown["."]?.mtime, "0.000000000");
    }
  });

  test("that has more layers than the kernel stacks is refused before anything is downloaded", async () => {
    const same = tar(file("a", ""));
    await using stage = await setStage(image(Array.from({ length: 501 }, () => same)));
    await assert.rejects(unpackOverlay(stage.reference, stage.path("overlay"), amd64), { code: "LIMIT_EXCEEDED" });
    assert.equal(stage.registry.requests.filter(({ path }) => path.includes("/blobs/")).length, 1, "the config");
    assert.deepEqual(await readdir(stage.directory), []);
  });

  test("makes no more copies of lower layers' files than all layers may have bytes together", async () => {
    const content = new Uint8Array(1_000_000);
    const links = Array.from({ length: 3 }, (_, n) => hardlink(`link${n}`, "a"));
    await using stage = await setStage(image([tar(file("a", content.fill(1))), tar(...links)]));
    const options = { ...amd64, limits: { totalBytes: 2_000_000 } };
    await assert.rejects(unpackOverlay(stage.reference, stage.path("overlay"), options), {
      code: "LIMIT_EXCEEDED",
      message: /more than 2000000 bytes in copies of hard links/,
    });
    assert.deepEqual(await readdir(stage.directory), []);
  });

  test("leaves nothing behind when a layer is wrong", async () => {
    await using stage = await setStage();
    stage.registry.always(
      new RegExp(sample.layers[2]?.descriptor.digest ?? ""),
      withBody((bytes) => bytes.map((byte) => byte ^ 1)),
    );
    for (const kept of [undefined, store(stage.path("store"))]) {
      const options = { ...amd64, ...(kept && { store: kept }) };
      await assert.rejects(unpackOverlay(stage.reference, stage.path("overlay"), options), { code: "DIGEST_MISMATCH" });
      await assert.rejects(stat(stage.path("overlay")), { code: "ENOENT" });
    }
    const ingest = await readdir(stage.path("store/ingest"));
    assert.deepEqual(
      ingest.filter((name) => !name.endsWith(".part")),
      [],
    );
    assert.deepEqual(await readdir(stage.path("store/layers")).catch(() => []), []);
  });
});

describe("layers in a store", { skip }, () => {
  const base = [tar(directory("d"), file("d/x", "lower"), file("a", "1")), tar(file("b", "2"))];
  const first = image([...base, tar(whiteout("a"), hardlink("c", "b"))]);
  const second = image([...base, tar(opaque("d"), file("d/y", "upper"))]);

  test("serve every image that has them, and a second overlay of one image downloads nothing", async () => {
    await using stage = await setStage(first);
    const options = { ...amd64, store: store(stage.path("store")) };
    const one = await unpackOverlay(stage.reference, stage.path("one"), options);
    const again = await unpackOverlay(stage.reference, stage.path("again"), options);
    assert.deepEqual([one.reusedLayers, again.reusedLayers, again.downloadedBytes], [0, 3, 0]);
    const other = await unpackOverlay(stored(stage.registry, "other", second), stage.path("other"), options);
    assert.deepEqual([other.reusedLayers, other.downloadedBytes], [2, second.layers[2]?.descriptor.size]);
    for (const [overlay, wanted] of [
      [one, [".", "b", "c", "d", "d/x"]],
      [again, [".", "b", "c", "d", "d/x"]],
      [other, [".", "a", "b", "d", "d/y"]],
    ] as const) {
      assert.deepEqual(Object.keys(await shownBy(overlay.script, stage.directory)), wanted);
    }
  });

  test("are not shared between images that were unpacked differently", async () => {
    await using stage = await setStage(first);
    const options = { ...amd64, store: store(stage.path("store")) };
    await unpackOverlay(stage.reference, stage.path("one"), options);
    for (const [index, other] of [{ overlay: "userxattr" }, { owner: "ignore" }, { strict: true }].entries()) {
      const { reusedLayers } = await unpackOverlay(stage.reference, stage.path(`${index}`), {
        ...options,
        ...other,
      } as OverlayOptions);
      assert.equal(reusedLayers, 0);
    }
  });

  test("stay as long as an overlay uses them, and no longer than they fit", async () => {
    await using stage = await setStage(first);
    const ours = store(stage.path("store"));
    const { script } = await unpackOverlay(stage.reference, stage.path("one"), { ...amd64, store: ours });
    assert.equal((await ours.prune({ maxBytes: 0 })).removedLayers, 0);
    assert.deepEqual(Object.keys(await shownBy(script, stage.directory)), [".", "b", "c", "d", "d/x"]);
    await rm(stage.path("one"), { recursive: true });
    assert.equal((await ours.prune({ forgetAbsent: true })).removedLayers, 0, "they may be of use to the next one");
    const { removedLayers, keptBytes } = await ours.prune({ maxBytes: 0 });
    assert.deepEqual([removedLayers, keptBytes], [3, 0]);
    assert.deepEqual(await readdir(stage.path("store/overlays")), []);
  });

  test("stay for 30 days where an overlay is not found at its place", async () => {
    await using stage = await setStage(first);
    const ours = store(stage.path("store"));
    const { script } = await unpackOverlay(stage.reference, stage.path("one"), { ...amd64, store: ours });
    const prune = async () => {
      const { removedLayers, absentOverlays } = await ours.prune({ maxBytes: 0 });
      return [removedLayers, absentOverlays];
    };
    await rename(stage.path("one"), stage.path("elsewhere"));
    await mkdir(stage.path("one")); // as a mount point that nothing is mounted on
    assert.deepEqual(await prune(), [0, [stage.path("one")]]);
    const daysAgo = async (days: number) => {
      const when = new Date(Date.now() - days * 24 * 60 * 60 * 1000);
      for (const name of await readdir(stage.path("store/overlays"))) {
        if (name.endsWith(".absent")) await utimes(stage.path("store/overlays", name), when, when);
      }
    };
    await daysAgo(29);
    assert.deepEqual(await prune(), [0, [stage.path("one")]]);
    await rmdir(stage.path("one"));
    await rename(stage.path("elsewhere"), stage.path("one"));
    assert.deepEqual(await prune(), [0, []]);
    assert.deepEqual(Object.keys(await shownBy(script, stage.directory)), [".", "b", "c", "d", "d/x"]);
    await rename(stage.path("one"), stage.path("elsewhere"));
    assert.deepEqual(await prune(), [0, [stage.path("one")]], "it is absent anew");
    await daysAgo(31);
    assert.deepEqual(await prune(), [3, []]);
  });

  test("are made once by two processes at the same time", async () => {
    await using stage = await setStage(first);
    const ours = store(stage.path("store"));
    const targets = ["one", "two", "three"];
    await Promise.all(
      targets.map((name) => unpackOverlay(stage.reference, stage.path(name), { ...amd64, store: ours })),
    );
    const places = await Promise.all(targets.map((name) => readlink(stage.path(name, "layers/1"))));
    assert.equal(new Set(places).size, 1);
    assert.deepEqual(await readdir(stage.path("store/ingest")), []);
  });
});

test("an ordinary user makes and mounts an overlay in a user namespace", {
  skip: skip || skipWithoutUserNamespaces(),
}, async () => {
  await using place = await scratch();
  const command = program();
  execFileSync("chmod", ["0777", place.directory]);
  const layers = [
    tar(directory("d"), file("d/x", "lower"), file("a", "1")),
    tar(whiteout("a"), opaque("d"), file("d/y", "upper")),
  ];
  await writeImageLayout(join(place.directory, "layout"), [{ tag: "1", images: [image(layers)] }]);
  const script = `
    import { unpackOverlay } from ${JSON.stringify(join(command.directory, "src/index.js"))};
    const { script } = await unpackOverlay("oci:${place.directory}/layout:1", "${place.directory}/overlay", { platform: "linux/amd64" });
    process.stdout.write(script);
  `;
  const { uid, gid } = ordinaryUser;
  const asUser = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"];
  const mountSh = await output("setpriv", [...asUser, process.execPath, "--input-type=module", "-e", script], {
    directory: "/",
  });
  const show = `sh ${mountSh} ${place.directory}/point && cd ${place.directory}/point && find . | sort && cat d/y`;
  const unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", show];
  const { stdout, stderr } = await outcomeOf("setpriv", [...asUser, ...unshare]);
  assert.deepEqual([stdout, stderr], [".\n./d\n./d/y\nupper", ""]);
});

/** In an overlay a hard link to a file of a lower layer is a copy. */
function withoutLinksAcross(tree: Tree): Tree {
  const across = [
    "bin/su2",
    "bin/su3",
    "bin/su",
    "etc/hosts",
    "home/user/hosts",
    "home/user/absolute",
    "home/user/absolute-again",
  ];
  return Object.fromEntries(
    Object.entries(tree).map(([path, { sameFileAs, ...item }]): [string, TreeItem] => {
      return [path, sameFileAs === undefined || across.includes(path) ? item : { ...item, sameFileAs }];
    }),
  );
}
