import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type CopyForm, copy, type ExportForm, exportRootfs, unpack, unpackOverlay } from "../../src/index.ts";
import { output } from "../support/command.ts";
import { type DockerRegistry, dockerRegistry } from "../support/docker-registry.ts";
import type { Image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { type PodmanService, podmanService } from "../support/podman-service.ts";
import { busyboxImage } from "../support/runnable-images.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { skipUnlessMounting } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";
import { pushed } from "../support/umoci.ts";

// An image in Debian's docker-registry becomes every output, and each is put to the use that people have for it.

const needed = ["docker-registry", "skopeo", "umoci", "podman", "runc", "busybox"] as const;
const makers = ["tar", "mkfs.erofs", "sqfstar", "mke2fs"] as const;
const skip = skipUnlessMounting(...needed, ...makers);
const platform = "linux/amd64";

describe("of an image in a registry", { skip, concurrency: 2 }, () => {
  let place: Scratch;
  let registry: DockerRegistry;
  let reference: string;
  let app: Image;
  const path = async () => join(await mkdtemp(join(place.directory, "made-")), "it");
  before(async () => {
    place = await scratch();
    registry = await dockerRegistry();
    app = busyboxImage({ User: "app", Cmd: ["/bin/id", "-un"] });
    const layout = join(place.directory, "layout");
    await writeImageLayout(layout, [{ tag: "1", images: [app] }]);
    reference = `${registry.host}/some/app:1`;
    await pushed(`oci:${layout}:1`, reference);
  });
  after(async () => {
    await registry[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  test("runc runs the bundle", async () => {
    const bundle = await path();
    await unpack(reference, bundle, { platform, bundle: true });
    const state = join(place.directory, "runc");
    assert.equal(await output("runc", ["--root", state, "run", "--bundle", bundle, `outputs-${process.pid}`]), "app\n");
  });

  test("umoci unpacks the layout", async () => {
    const { rootfs } = await unpack(reference, await path(), { platform });
    const layout = await copied("layout");
    const bundle = await path();
    await output("umoci", ["unpack", "--image", `${layout}:1`, bundle]);
    assert.deepEqual(readTree(join(bundle, "rootfs")), readTree(rootfs));
  });

  test("podman loads the archives, as the same image", async () => {
    const directory = await path();
    await mkdir(directory);
    await using engine: PodmanService = await podmanService(directory);
    for (const form of ["oci-archive", "docker-archive"] as const) {
      const loaded = (await engine.podman("load", "--quiet", "--input", await copied(form))).trim();
      const name = loaded.replace("Loaded image: ", "");
      const id = (await engine.podman("image", "inspect", "--format", "{{.Id}}", name)).trim();
      assert.equal(`sha256:${id}`, app.config.descriptor.digest);
    }
  });

  test("the script mounts the overlay, and a program in it runs", async () => {
    const { script } = await unpackOverlay(reference, await path(), { platform });
    assert.equal(await runIn(`sh '${script}' "$0"`), "root\n");
  });

  test("tar extracts the archive, and a program in it runs", async () => {
    assert.equal(await runIn(`tar -xf '${await exported("tar")}' -C "$0"`), "root\n");
  });

  for (const form of ["erofs", "squashfs", "ext4"] as const) {
    test(`the kernel mounts ${form}, and a program in it runs`, async () => {
      const file = await exported(form);
      if (form === "ext4") execFileSync("e2fsck", ["-fn", file], { stdio: "pipe" });
      assert.equal(await runIn(`mount -t ${form} -o loop,ro '${file}' "$0"`), "root\n");
    });
  }

  async function copied(form: CopyForm): Promise<string> {
    const destination = await path();
    await copy(reference, destination, { platform, form });
    return destination;
  }

  async function exported(form: ExportForm): Promise<string> {
    const { file = "" } = await exportRootfs(reference, await path(), { platform, form });
    return file;
  }

  /** Lets a line of shell fill the directory `$0`, and runs a program there, in a mount namespace that goes afterwards. */
  async function runIn(fill: string): Promise<string> {
    const point = await path();
    await mkdir(point);
    return await output("unshare", ["--mount", "sh", "-ec", `${fill}; exec chroot "$0" /bin/id -un`, point]);
  }
});
