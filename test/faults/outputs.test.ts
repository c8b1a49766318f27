import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ordinaryUser, program, skipUnlessNodeIsOpen } from "../hostile/as-user.ts";
import { type Outcome, outcomeOf } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { commandEntry } from "../support/oci-unpack.ts";
import { file, tar, whiteout } from "../support/tar-builder.ts";
import { half, shareOf, third } from "../support/thorough.ts";
import { skipUnlessMounting, skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { assertClearError } from "./clear-error.ts";
import { outcomeInNamespace } from "./namespace.ts";
import { type Output, outputs } from "./outputs.ts";
import { type Stage, setStage } from "./stage.ts";
import { withUsualOptions } from "./usual.ts";

/** A place that cannot receive what is to be written there. */
interface Obstacle {
  readonly title: string;
  /** Puts it there and gives the path to write to. */
  readonly put: (place: string) => Promise<string>;
  /** For a directory, and for a file. */
  readonly codes: readonly [string, string];
  readonly message: RegExp;
  /** Directories are made as they are needed; a file's has to be there. */
  readonly onlyFor?: "files";
}

const obstacles: readonly Obstacle[] = [
  {
    title: "a file is there",
    put: async (place) => {
      await writeFile(join(place, "taken"), "precious");
      return join(place, "taken");
    },
    ...{ codes: ["TARGET_UNUSABLE", "TARGET_NOT_EMPTY"], message: /taken": (file already exists|it exists already)/ },
  },
  {
    title: "a directory with something in it is there",
    put: async (place) => {
      await mkdir(join(place, "taken/by"), { recursive: true });
      return join(place, "taken");
    },
    ...{ codes: ["TARGET_NOT_EMPTY", "TARGET_NOT_EMPTY"], message: /taken": it (is not empty|exists already)/ },
  },
  {
    title: "a link is there that leads nowhere",
    put: async (place) => {
      await symlink("nowhere", join(place, "taken"));
      return join(place, "taken");
    },
    ...{ codes: ["TARGET_UNUSABLE", "TARGET_NOT_EMPTY"], message: /taken": (file already exists|it exists already)/ },
  },
  {
    title: "its parent is a file",
    put: async (place) => {
      await writeFile(join(place, "file"), "precious");
      return join(place, "file", "below");
    },
    ...{ codes: ["TARGET_UNUSABLE", "TARGET_UNUSABLE"], message: /below": not a directory/ },
  },
  {
    title: "its parent is missing",
    put: async (place) => join(place, "missing", "below"),
    ...{
      codes: ["TARGET_UNUSABLE", "TARGET_UNUSABLE"],
      message: /below": no such file or directory/,
      onlyFor: "files",
    },
  },
  {
    title: "its name is too long",
    put: async (place) => join(place, "n".repeat(256)),
    ...{ codes: ["TARGET_UNUSABLE", "TARGET_UNUSABLE"], message: /name too long/ },
  },
  {
    title: "its name is too long, below parents that are made for it",
    put: async (place) => join(place, "made/for/it", "n".repeat(256)),
    ...{ codes: ["TARGET_UNUSABLE", "TARGET_UNUSABLE"], message: /name too long|no such file/ },
  },
];

/** More than the small file systems below have room for. */
const large = image([tar(file("small", "1"), file("large", randomBytes(2_000_000)))]);

for (const [number, [name, output]] of Object.entries(outputs).entries()) {
  const { kind, skip } = output;
  describe(`as ${name}`, { skip }, () => {
    for (const { title, put, codes, message, onlyFor } of shareOf(4, obstacles, number)) {
      if (onlyFor === "files" && kind !== "file") continue;
      test(`where ${title}, it is refused and stays`, async () => {
        await using stage = await setStage();
        const path = await put(stage.place);
        const told = await stage.fails(output.args(await layoutIn(stage), path));
        assert.equal(told.code, codes[kind === "directory" ? 0 : 1], told.message);
        assert.match(told.message, message);
      });
    }

    describe("among other file systems", { skip: skipUnlessMounting() }, () => {
      const troubles = [
        ["a full disk", "size=1m", /no space left on device/],
        ["a read-only file system", "ro", /read-only file system/],
      ] as const;
      for (const [title, options, message] of half(troubles, number)) {
        test(`${title} is one clear error, and nothing is left on it`, async () => {
          await using stage = await setStage();
          const mounts = `mount -t tmpfs -o ${options} tmpfs '${stage.place}'`;
          const { status, stderr } = await inNamespace(output, stage, mounts);
          assertClearError(stderr);
          assert.equal(status, 1);
          assert.match(stderr, message);
        });
      }
    });

    test("a directory of somebody else is one clear error, and nothing is left in it", {
      skip: skipUnlessRoot() || skipWithout("setpriv") || skipUnlessNodeIsOpen(),
    }, async () => {
      await using stage = await setStage();
      const command = program();
      await chmod(stage.directory, 0o755);
      const args = withUsualOptions(output.args(await layoutIn(stage), join(stage.place, "target")));
      const { status, stderr } = await command.run(ordinaryUser, args, stage.place);
      assertClearError(stderr);
      assert.equal(status, 1);
      assert.match(stderr, /permission denied/);
      assert.deepEqual(await readdir(stage.place), []);
    });
  });
}

describe("for an mtree list", () => {
  for (const { title, put, codes, message } of shareOf(4, obstacles)) {
    test(`where ${title}, it is refused, and nothing is unpacked`, async () => {
      await using stage = await setStage();
      const path = await put(stage.place);
      const target = join(stage.directory, "target");
      const told = await stage.fails(["--mtree", path, await layoutIn(stage), target]);
      assert.equal(told.code, codes[1], told.message);
      assert.match(told.message, message);
      assert.ok(!(await readdir(stage.directory)).includes("target"));
    });
  }
});

describe("where the file system has no hard links", { skip: skipWithout("strace") }, () => {
  for (const [name, { args, kind, skip }] of third(Object.entries(outputs))) {
    test(`as ${name}`, { skip }, async () => {
      await using stage = await setStage();
      const path = join(stage.place, "target");
      const command = [process.execPath, commandEntry, ...withUsualOptions(args(await layoutIn(stage), path))];
      const inject = ["-e", "trace=link,linkat", "-e", "inject=link,linkat:error=EPERM"];
      const { status, stderr } = await outcomeOf("strace", ["-f", "-o", "/dev/null", ...inject, "--", ...command], {
        environment: { TMPDIR: stage.temporary },
      });
      assert.deepEqual([status, stderr], [0, ""]);
      assert.deepEqual(await readdir(stage.place), ["target"]);
      if (kind === "file") assert.ok((await stat(path)).size > 0);
    });
  }
});

test("an overlay is not mounted over its own layers", async () => {
  await using stage = await setStage();
  const image = await layoutIn(stage);
  const target = join(stage.place, "target");
  for (const point of [target, stage.place, join(target, "layers"), join(target, "layers/0/diff/etc")]) {
    const told = await stage.fails(["--output", "overlay", "--mount", point, image, target]);
    assert.equal(told.code, "INVALID_OPTION", told.message);
    assert.match(told.message, /its layers are there$/);
  }
});

test("an overlay's layers cannot lie on an overlay, and the error says so", {
  skip: skipUnlessMounting(),
}, async () => {
  await using stage = await setStage();
  const { place, temporary } = stage;
  const layout = join(stage.directory, "layout");
  await mkdir(layout);
  await writeImageLayout(layout, [{ tag: "1", images: [image([tar(file("a")), tar(whiteout("a"))])] }]);
  const options = `lowerdir=${place}/lower,upperdir=${place}/upper,workdir=${place}/work`;
  const mounts = `
    mount -t tmpfs tmpfs '${place}'
    mkdir '${place}/lower' '${place}/upper' '${place}/work'
    mount -t overlay overlay -o '${options}' '${place}'`;
  const args = ["--output", "overlay", `oci:${layout}:1`, join(place, "target")];
  const { status, stderr } = await outcomeInNamespace({ mounts, args, temporary, watched: [place, temporary] });
  assert.equal(status, 1);
  assert.match(
    stderr,
    /^error: layer 2: cannot mark "": mknodat.* EPERM .*\nhint: unpack into a file system that is no overlay/,
  );
  assert.doesNotMatch(stderr, /left behind/);
});

async function inNamespace(output: Output, stage: Stage, mounts: string): Promise<Outcome> {
  return await outcomeInNamespace({
    mounts,
    args: output.args(await layoutIn(stage), join(stage.place, "target")),
    temporary: stage.temporary,
    watched: [stage.place, stage.temporary],
  });
}

async function layoutIn({ directory }: Stage): Promise<string> {
  const path = join(directory, "layout");
  await mkdir(path);
  await writeImageLayout(path, [{ tag: "1", images: [large] }]);
  return `oci:${path}:1`;
}
