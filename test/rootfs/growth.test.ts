import assert from "node:assert/strict";
import { test } from "node:test";
import { Directory } from "../../src/layer/directory.ts";
import { built } from "../support/building.ts";
import { directory, file } from "../support/entries.ts";

/** How often the path of a directory is put together, which takes as long as it is deep, while `work` is done. */
function pathsDuring(work: () => void): number {
  const original = Object.getOwnPropertyDescriptor(Directory.prototype, "path");
  assert.ok(original?.get !== undefined);
  const { get } = original;
  let count = 0;
  Object.defineProperty(Directory.prototype, "path", {
    configurable: true,
    get(this: object): unknown {
      count += 1;
      return get.call(this);
    },
  });
  try {
    work();
  } finally {
    Object.defineProperty(Directory.prototype, "path", original);
  }
  return count;
}

test("nothing takes as long for each directory as it is deep", () => {
  const deep = Array.from({ length: 50 }, () => "d").join("/");
  const members = Array.from({ length: 200 }, (_, n) => [directory(`${deep}/${n}`), file(`${deep}/${n}/a`)]).flat();
  const count = pathsDuring(() => {
    using _rootfs = built([members]);
  });
  assert.ok(count <= 10, `${count} paths were put together`);
});
