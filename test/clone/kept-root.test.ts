import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type UnpackOptions, verify } from "../../src/index.ts";
import { readTree } from "../support/tree.ts";
import { differences } from "../support/tree-differences.ts";
import { setStage } from "./stage.ts";

const options: UnpackOptions = { devices: "create" };

describe("a root filesystem of a tree that is kept", () => {
  for (const clone of ["copy", "hardlink"] as const) {
    test(`is what the image says, to the last attribute, by ${clone}`, async () => {
      await using stage = await setStage();
      const plain = readTree((await stage.unpack(options)).rootfs);

      const first = await stage.unpack({ ...options, clone });
      const second = await stage.unpack({ ...options, clone });

      assert.deepEqual(differences(readTree(first.rootfs), plain), []);
      assert.deepEqual(differences(readTree(second.rootfs), plain), []);
      assert.equal(first.kept, undefined);
      assert.equal(second.kept, clone === "copy" ? "copied" : "hardlink");
      const { differences: found } = await verify(second.rootfs.slice(0, -"/rootfs".length), stage.name, options);
      assert.deepEqual(found, []);
    });
  }
});
