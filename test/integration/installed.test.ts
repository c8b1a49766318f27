import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { performed } from "../support/action.ts";
import { outcomeOf, output } from "../support/command.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { fewOpenFiles } from "../support/podman-service.ts";
import { repositoryFile } from "../support/repository.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { isThorough } from "../support/thorough.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

// The package as the action installs it from npm, and as an image of the command has it.

const skip = isThorough ? skipWithout("buildah") || skipUnlessRoot() : "long: OCI_UNPACK_TESTS=all tries it";

describe("of the packed package", { skip }, () => {
  let place: Scratch;
  let tarball = "";
  const installed = () => join(place.directory, "oci-unpack");
  before(async () => {
    place = await scratch();
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", place.directory];
    const [{ filename }] = JSON.parse(await output("npm", pack, { directory: fileURLToPath(repositoryFile("")) }));
    tarball = join(place.directory, filename);
    await writeImageLayout(join(place.directory, "work/layout"), [
      { tag: "x", images: [image([tar(file("motd", "hello"))])] },
    ]);
  });
  after(() => place[Symbol.asyncDispose]());

  test("the action installs the command, and unpacks an image with it", async () => {
    const steps = ["Install oci-unpack", "Unpack the image"];
    const inputs = {
      image: "oci:layout:x",
      directory: "by action",
      options: "--platform linux/amd64\n--sandbox prefer",
      version: `file:${tarball}`,
    };
    const runner = { workspace: join(place.directory, "work"), temporary: place.directory };
    const { status, stderr, outputs } = await performed(steps, inputs, runner);
    assert.equal(status, 0, stderr);
    assert.equal(await readFile(join(outputs.rootfs ?? "", "motd"), "utf8"), "hello");
  });

  test("the Containerfile makes an image that unpacks one", async () => {
    const storage = ["root", "runroot"].flatMap((name) => [`--${name}`, join(place.directory, name)]);
    const options = { environment: { ...(await fewOpenFiles(place.directory)), BUILDAH_ISOLATION: "chroot" } };
    const buildah = (...args: readonly string[]) =>
      output("buildah", [...storage, "--storage-driver", "vfs", ...args], options);
    const tree = join(place.directory, "tree");
    await nodeIn(tree);
    const base = (await buildah("from", "scratch")).trim();
    await buildah("copy", base, tree, "/");
    await buildah("config", "--env", "PATH=/usr/local/bin", base);
    await buildah("commit", "--quiet", base, "localhost/node");
    const recipe = fileURLToPath(repositoryFile("Containerfile"));
    const build = ["build", "--quiet", "--build-arg", "BASE=localhost/node", "--tag", "localhost/oci-unpack"];
    await buildah(...build, "--file", recipe, installed());
    const { OCIv1 } = JSON.parse(await buildah("inspect", "--type", "image", "localhost/oci-unpack"));
    const { Entrypoint, WorkingDir } = OCIv1.config;
    const container = (await buildah("from", "localhost/oci-unpack")).trim();
    const mounted = ["--volume", `${place.directory}/work:${WorkingDir}`, container, "--"];
    const command = [...Entrypoint, "--platform", "linux/amd64", "--sandbox", "prefer", "oci:layout:x", "by-container"];
    await buildah("run", ...mounted, ...command);
    assert.equal(await readFile(join(place.directory, "work/by-container/rootfs/motd"), "utf8"), "hello");
  });
});

/** This Node and the libraries that it needs, as the root of a system that has nothing else. */
async function nodeIn(tree: string): Promise<void> {
  const { stdout } = await outcomeOf("ldd", [process.execPath]);
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => path);
  for (const path of libraries) {
    await mkdir(join(tree, dirname(path)), { recursive: true });
    await cp(path, join(tree, path), { dereference: true });
  }
  for (const directory of ["usr/local/bin", "tmp", "etc", "proc", "dev", "sys"]) {
    await mkdir(join(tree, directory), { recursive: true });
  }
  await cp(process.execPath, join(tree, "usr/local/bin/node"), { dereference: true });
}
