import assert from "node:assert/strict";
import { test } from "node:test";
import { sourceKindOf } from "../../src/cli/source-kind.ts";
import { isEngineName } from "../../src/source/engine.ts";
import { splitTransport } from "../../src/source/local/local-source.ts";

test("the command takes for images on this machine what the library does", () => {
  const transports = ["oci", "oci-archive", "docker-archive", "dir", "docker-daemon", "docker", "containers-storage"];
  const others = ["debian", "oci", "oci/app:1", "localhost:5000/oci", "docker-archives:1", "constructor:1"];
  for (const name of [...transports.map((each) => `${each}:app:1`), ...others]) {
    const isInFiles = splitTransport(name) !== undefined;
    assert.equal(sourceKindOf(name), isInFiles ? "files" : isEngineName(name) ? "engine" : "registry", name);
  }
});
