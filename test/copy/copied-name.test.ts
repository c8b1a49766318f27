import assert from "node:assert/strict";
import { test } from "node:test";
import type { ImagePlace } from "../../src/blob/image-source.ts";
import { smallFiles } from "../../src/copy/layout-files.ts";
import { parseReference } from "../../src/oci/reference.ts";
import { image } from "../support/image.ts";

/** The names that the index of a copy has for an image of that name. */
function namesOf(name: string, location?: ImagePlace): readonly string[] {
  const { digest, mediaType, size } = image([]).manifest.descriptor;
  const top = { digest, mediaType, sizeBytes: size } as Parameters<typeof smallFiles>[1]["top"];
  const contents = { top, documents: new Map() } as unknown as Parameters<typeof smallFiles>[1];
  const source = location === undefined ? { name } : { name, location };
  const [index] = smallFiles(source, contents, "layout");
  const { manifests } = JSON.parse(Buffer.from(index?.bytes ?? []).toString());
  return Object.values(manifests[0].annotations ?? {});
}

test("a copy is called as in the registry or the engine, and never after a path", () => {
  assert.deepEqual(namesOf("oci:app", { transport: "oci", path: "app" }), []);
  assert.deepEqual(namesOf("docker-archive:app.tar", { transport: "docker-archive" }), []);
  const reference = parseReference("example.com/app:2");
  const names = ["2", "example.com/app:2"];
  assert.deepEqual(namesOf("docker-daemon:example.com/app:2", { transport: "docker-daemon", reference }), names);
  assert.deepEqual(namesOf("example.com/app:2", { transport: "docker", reference }), names);
  assert.deepEqual(namesOf("example.com/app:2"), names);
});
