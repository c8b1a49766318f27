import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { describe, test } from "node:test";
import { output } from "../support/command.ts";
import { type Blob, blob, type Image, image, jsonBlob } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { inspectImage } from "../support/inspect-image.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { skipWithout } from "../support/tools.ts";

// What skopeo, which is Go's reader of JSON, sees in documents that are written oddly: here there is the same, or nothing.

const plain = image([tar(file("a", "1"))], { config: { config: { Labels: { a: "b" }, User: "app" } } });
const other = image([tar(file("b", "2"))]).layers[0]?.descriptor;

/** How a document may be written, and whether it has one meaning to everybody. */
const spellings: readonly (readonly [title: string, from: string, to: string, isRead: boolean])[] = [
  ["a member in upper case", '"layers"', '"LAYERS"', true],
  ["a member with a long s", '"layers"', '"layer\u017f"', true],
  ["a member with another one's letters", '"mediaType"', '"MEDIATYPE"', true],
  ["two members, the one in upper case last", '"layers"', `"layers":[${JSON.stringify(other)}],"Layers"`, false],
  ["two members, the one in upper case first", '"layers"', `"Layers":[${JSON.stringify(other)}],"layers"`, false],
];

describe("a manifest says to others what it says here", { skip: skipWithout("skopeo") }, () => {
  for (const [title, from, to, isRead] of spellings) {
    test(`with ${title}`, async () => {
      await using place = await scratch();
      const layout = join(place.directory, "layout");
      await writeImageLayout(layout, [{ tag: "1", images: [withManifest(replaced(plain.manifest, from, to))] }]);
      const seen = JSON.parse(await output("skopeo", ["inspect", `oci:${layout}:1`]));
      // Of two the last counts, whichever it is.
      assert.deepEqual(
        seen.Layers,
        plain.layers.map(({ descriptor }) => descriptor.digest),
      );
      const ours = inspectImage(`oci:${layout}:1`, { platform: "linux/amd64" });
      if (!isRead) return await assert.rejects(ours, { code: "INVALID_MANIFEST", message: /has "layers" twice/ });
      assert.deepEqual(
        (await ours).layers.map(({ descriptor }) => descriptor.digest),
        seen.Layers,
      );
    });
  }
});

/** What a configuration may say, and what it means. */
const configurations: readonly (readonly [title: string, from: string, to: string])[] = [
  ["a label of null", '"a":"b"', '"a":null'],
  ["labels whose names differ in case alone", '"a":"b"', '"a":"b","A":"c"'],
  ["members in lower case", '"User":"app"', '"user":"app","env":["A=1",null]'],
  ["a section in upper case", '"config":', '"CONFIG":'],
];

describe("a configuration says to others what it says here", { skip: skipWithout("skopeo") }, () => {
  for (const [title, from, to] of configurations) {
    test(`with ${title}`, async () => {
      await using place = await scratch();
      const layout = join(place.directory, "layout");
      const config = replaced(plain.config, from, to);
      const members = { ...JSON.parse(Buffer.from(plain.manifest.bytes).toString()), config: config.descriptor };
      const manifest = jsonBlob(plain.manifest.descriptor.mediaType, members);
      await writeImageLayout(layout, [{ tag: "1", images: [{ ...plain, config, manifest }] }]);
      const seen = JSON.parse(await output("skopeo", ["inspect", "--config", `oci:${layout}:1`])).config;
      const { execution } = (await inspectImage(`oci:${layout}:1`, { platform: "linux/amd64" })).config;
      assert.deepEqual(
        { labels: execution.labels, user: execution.user, env: execution.env },
        { labels: seen.Labels, user: seen.User, env: seen.Env },
      );
    });
  }
});

function withManifest(manifest: Blob): Image {
  return { ...plain, manifest };
}

function replaced({ bytes, descriptor }: Blob, from: string, to: string): Blob {
  const text = Buffer.from(bytes).toString();
  assert.ok(text.includes(from), from);
  return blob(descriptor.mediaType, Buffer.from(text.replace(from, to)));
}
