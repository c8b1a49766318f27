import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type UnpackOptions, unpack } from "../../src/index.ts";
import { asUser, ordinaryUser, program, skipUnlessNodeIsOpen } from "../hostile/as-user.ts";
import { outcomeOf, output } from "../support/command.ts";
import { type Image, image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { device, directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

/** Names that mean something to a shell, to mtree, or to nobody. */
const oddNames = [
  "*",
  "[x]",
  "q?",
  "#hash",
  "back\\slash",
  "sp ace",
  "tab\t",
  "nl\n",
  "k=v",
  "é",
  "..dots",
  "~",
  "@f",
  "/",
];

/** Of user 1000, as the kernel has it: what all may do at most is more than the group may by the mode. */
const accessControlList = Buffer.from(
  "0200000001000600ffffffff02000700e803000004000400ffffffff10000700ffffffff20000400ffffffff",
  "hex",
);

const odd = tar(
  ...oddNames.map((name, index) => file(`odd/${name}${index}`, name)),
  file(Buffer.from("odd/\xff\x80", "latin1"), "1"),
  symlink("odd/link", "t arget*é\n"),
  device("odd/null", "character", [1, 3]),
  device("odd/disk", "block", [259, 70_000]),
  sparsePax10("sparse", { size: 3_000_000, runs: [{ offset: 5000, content: "data" }] }),
  hardlink("again", "sparse"),
  file("much later", "", { mtime: 70_000_000_000 }),
  file("listed", "", { mode: 0o644, xattrs: { "system.posix_acl_access": accessControlList } }),
);
const sample = image([...sampleLayers(), odd]);

async function setStage(one: Image = sample): Promise<Scratch & { readonly name: string }> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [one] }]);
  return { ...place, name: `oci:${layout}:x` };
}

const root = skipUnlessRoot();

const cases: Readonly<Record<string, UnpackOptions>> = {
  "an image": { devices: "create" },
  "an image without its devices": {},
  "an image whose owners are ignored": { owner: "ignore", devices: "placeholder" },
  "an image with other owners": { gidMap: [{ containerID: 0, hostID: 5, size: 4_000_000_001 }] },
  "a part of an image": { include: ["odd", "bin/su3"], exclude: ["odd/nl*"], devices: "create" },
};

for (const [what, options] of Object.entries(cases)) {
  test(`mtree finds ${what} as the list says`, { skip: root || skipWithout("mtree") }, async () => {
    await using stage = await setStage();
    const mtree = join(stage.directory, "list");
    const result = await unpack(stage.name, join(stage.directory, "x"), {
      platform: "linux/amd64",
      ...options,
      mtree,
    });
    assert.equal(result.mtree, mtree);
    const compare = () => outcomeOf("mtree", ["-f", mtree, "-p", result.rootfs]);
    assert.deepEqual(await compare(), { status: 0, signal: undefined, stdout: "", stderr: "" });
    const path = join(result.rootfs, "odd/@f12");
    writeFileSync(path, "f@");
    execFileSync("touch", ["-d", "@1000000000", path]);
    assert.match((await compare()).stdout, /odd\/@f12: \n\tsha256 \(0x/);
  });
}

test("bsdtar makes an archive of what an mtree list has", { skip: root || skipWithout("bsdtar", "tar") }, async () => {
  await using stage = await setStage(image([tar(file("d/a b", "1", { mode: 0o640, uid: 5 }), symlink("é", "d")), odd]));
  const mtree = join(stage.directory, "list");
  const options = { platform: "linux/amd64", mtree };
  const { rootfs } = await unpack(stage.name, join(stage.directory, "x"), options);
  const copy = join(stage.directory, "copy");
  mkdirSync(copy);
  const script = `bsdtar --format pax -cf - "@$0" | tar -C "$1" --same-owner --warning=no-unknown-keyword -xpf -`;
  const environment = { LC_ALL: "C.UTF-8" };
  await output("sh", ["-c", script, mtree, copy], { directory: rootfs, environment });
  assert.deepEqual(listable(copy), listable(rootfs));
});

/** A tree without what mtree(5) has no words for: which names are one file, and extended attributes. */
function listable(path: string): object {
  const items = Object.entries(readTree(path));
  return Object.fromEntries(items.map(([name, { sameFileAs: _, xattrs: __, ...item }]) => [name, item]));
}

test("an ordinary user's mtree list says what such a user can have", {
  skip: root || skipWithout("mtree", "setpriv") || skipUnlessNodeIsOpen(),
}, async () => {
  await using stage = await setStage(image([tar(directory("d", { uid: 5 }), file("d/f", "1", { uid: 7 })), odd]));
  const command = program();
  chmodSync(stage.directory, 0o755);
  const home = join(stage.directory, "home");
  mkdirSync(home);
  chownSync(home, ordinaryUser.uid, ordinaryUser.gid);
  for (const more of [[], ["--rootless"], ["--owner", "preserve"]]) {
    const target = join(home, `target${more.join("")}`);
    const args = ["-p", "linux/amd64", "--devices", "create", "--mtree", join(home, `list${more.join("")}`), ...more];
    const unpacked = await command.run(ordinaryUser, [...args, stage.name, target], home);
    assert.equal(unpacked.status, 0, unpacked.stderr);
    assert.match(unpacked.stderr, /^ {2}listed in \/\S+\/home\/list/m);
    const comparison = ["-f", join(home, `list${more.join("")}`), "-p", join(target, "rootfs")];
    const { status, stdout } = await outcomeOf("setpriv", asUser(ordinaryUser, "mtree", comparison));
    assert.deepEqual([status, stdout], [0, ""]);
  }
});

test("an mtree list says the same as before, byte for byte, and may lie beside the files", async () => {
  await using stage = await setStage(
    image([tar(file("a", "1", { mtime: { seconds: -2, nanoseconds: 5 } }), symlink("b", "a"))]),
  );
  const target = join(stage.directory, "x");
  const mtree = join(target, "rootfs.mtree");
  await unpack(stage.name, target, { platform: "linux/amd64", owner: "ignore", mtree });
  assert.deepEqual(readdirSync(target).sort(), ["config.json", "rootfs", "rootfs.mtree"]);
  assert.equal(
    readFileSync(mtree, "utf8"),
    [
      "#mtree",
      ". type=dir mode=0755 time=0.000000000",
      "./a type=file mode=0644 time=-2.000000005 size=1 sha256=6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
      "./b type=link mode=0777 time=1000000000.000000000 link=a",
      "",
    ].join("\n"),
  );
});

test("where the configuration cannot be written last, the mtree list does not stay either", async () => {
  await using stage = await setStage(image([tar(file("a", "1"))]));
  const target = join(stage.directory, "x");
  const options: UnpackOptions = {
    platform: "linux/amd64",
    mtree: join(stage.directory, "list"),
    onEvent({ type }) {
      if (type === "layer-finished") mkdirSync(join(target, "config.json/in the way"), { recursive: true });
    },
  };
  await assert.rejects(unpack(stage.name, target, options), { code: "TARGET_UNUSABLE" });
  assert.deepEqual(readdirSync(stage.directory).sort(), ["layout", "x"]);
  assert.deepEqual(readdirSync(target), ["config.json"]);
});

test("a file that is there is not replaced, and where the unpacking fails there is no mtree list", async () => {
  await using stage = await setStage(image([tar(file("a", "1"), hardlink("b", "nowhere"))]));
  const mtree = join(stage.directory, "list");
  const options = { platform: "linux/amd64", mtree };
  await assert.rejects(unpack(stage.name, join(stage.directory, "x"), options), { code: "ENTRY_REFUSED" });
  assert.deepEqual(readdirSync(stage.directory), ["layout"]);
  writeFileSync(mtree, "mine");
  await assert.rejects(unpack(stage.name, join(stage.directory, "x"), options), { code: "TARGET_NOT_EMPTY" });
  assert.deepEqual([readdirSync(stage.directory), readFileSync(mtree, "utf8")], [["layout", "list"], "mine"]);
});
