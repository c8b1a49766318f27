import assert from "node:assert/strict";
import { test } from "node:test";
import { Directory, impliedAttributes } from "../../src/layer/directory.ts";
import { Parents } from "../../src/layer/parents.ts";
import { DiskState, type OnDisk } from "../../src/rootfs/disk-directory.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";

const root = new Directory<OnDisk>(undefined, {
  layer: 0,
  attributes: impliedAttributes({ sourceDateEpoch: 0 }),
  own: new DiskState(0o700),
});

test("a path that Linux would not take is not remembered: of texts that long V8 makes the hash of the length alone", () => {
  const parents = new Parents<OnDisk>();
  parents.set(byteStringOf(`${"x".repeat(4095)}/`), root, 0);
  parents.set(byteStringOf(`${"x".repeat(4096)}/`), root, 0);
  assert.equal(parents.get(byteStringOf(`${"x".repeat(4095)}/`)), root);
  assert.equal(parents.get(byteStringOf(`${"x".repeat(4096)}/`)), undefined);
});

test("no more than two mebibytes of text are remembered", () => {
  const parents = new Parents<OnDisk>();
  const prefixes = Array.from({ length: 2000 }, (_, n) => byteStringOf(`${n}${"x".repeat(4000)}/`));
  for (const prefix of prefixes) parents.set(prefix, root, 0);
  const known = prefixes.filter((prefix) => parents.get(prefix) !== undefined);
  assert.ok(known.length > 0 && known.length <= 525, `${known.length} texts of 4000 bytes are known`);
});

test("what is gone is not held: neither a directory, nor what a symlink led to", () => {
  const parents = new Parents<OnDisk>();
  parents.set(byteStringOf("a/"), root, 0);
  parents.set(byteStringOf("l/"), root, 1);
  parents.linkMayBeGone();
  assert.equal(parents.get(byteStringOf("l/")), undefined);
  assert.equal(parents.get(byteStringOf("a/")), root);
  parents.directoryIsGone();
  assert.equal(parents.get(byteStringOf("a/")), undefined);
});
