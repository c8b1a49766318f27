import { mkdtemp, readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  localSource,
  type Store,
  store,
  storedSource,
  type UnpackOptions,
  type UnpackResult,
  unpack,
} from "../../src/index.ts";
import { accessControlList } from "../support/acl.ts";
import { type Image, image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { sampleLayers } from "../support/sample-layers.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { device, directory, file, hardlink, symlink, tar } from "../support/tar-builder.ts";
import { sparsePax10 } from "../support/tar-sparse.ts";

/** An image that a store keeps trees of. */
export interface Stage extends Scratch {
  readonly store: Store;
  readonly name: string;
  /** Unpacks, into a new directory if none is named. */
  unpack(options?: UnpackOptions & { readonly offline?: boolean }, directory?: string): Promise<UnpackResult>;
  /** The paths of the kept trees. */
  trees(): Promise<readonly string[]>;
}

/** `directory` is where targets are made, and the store where nothing else is said. */
export async function setStage(one: Image = richImage(), places: Partial<Places> = {}): Promise<Stage> {
  const place = await scratch();
  const layout = join(place.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [one] }]);
  const ours = store(join(places.stores ?? place.directory, "store"));
  const name = `oci:${layout}:x`;
  return {
    ...place,
    store: ours,
    name,
    async unpack({ offline = false, ...options } = {}, directory) {
      await using source = storedSource(localSource(), ours, { offline });
      const target = directory ?? join(await mkdtemp(join(places.targets ?? place.directory, "target-")), "target");
      return await unpack(name, target, { source, platform: "linux/amd64", ...options });
    },
    async trees() {
      const folder = join(ours.directory, "trees");
      return (await readdir(folder).catch(() => [])).map((key) => join(folder, key));
    },
  };
}

interface Places {
  readonly stores: string;
  readonly targets: string;
}

const everyList = accessControlList(["user", 6], ["user", 7, 1000], ["group", 4], ["mask", 7], ["other", 4]);

/** Everything that a tree can have. */
export function richImage(): Image {
  const deep = Array.from({ length: 40 }, (_, level) => `level-${level}`);
  const more = tar(
    directory("deep"),
    ...deep.map((_, level) => directory(`deep/${deep.slice(0, level + 1).join("/")}`, { mtime: level })),
    file(`deep/${deep.join("/")}/bottom`, "far down"),
    hardlink("surface", `deep/${deep.join("/")}/bottom`),
    sparsePax10("sparse", { size: 3_000_000, runs: [{ offset: 1_000_000, content: "data" }] }),
    file("accessed", "1", { atime: 1_500_000_000 }),
    file("listed", "", {
      mode: 0o644,
      xattrs: {
        "system.posix_acl_access": everyList,
      },
    }),
    directory("sealed", { mode: 0o500, xattrs: { "user.comment": "nobody writes here" } }),
    hardlink("sealed/again", "listed"),
    directory("shared", { mode: 0o2775, gid: 8, xattrs: { "system.posix_acl_default": everyList } }),
    directory("shared/below"),
    file("shared/below/plain", "has no list of its own"),
    device("null", "character", [1, 3]),
    device("disk", "block", [259, 70_000]),
    ...Array.from({ length: 1200 }, (_, n) => file(`many/${n >> 6}/${n}`, `${n}`.repeat(n % 90))),
    symlink("many/link", "0/1"),
  );
  return image([...sampleLayers(), more]);
}
