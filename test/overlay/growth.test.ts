import assert from "node:assert/strict";
import { closeSync, constants, mkdirSync, mkdtempSync, openSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defaultLimits } from "../../src/base/limits.ts";
import { applySettings } from "../../src/layer/settings.ts";
import { OverlayFormat } from "../../src/overlay/overlay-format.ts";
import { OverlayLayer } from "../../src/overlay/overlay-layer.ts";
import { OverlayWhiteouts } from "../../src/overlay/overlay-whiteouts.ts";
import { newContext, sharedByLayers } from "../../src/rootfs/context.ts";
import { Rootfs } from "../../src/rootfs/rootfs.ts";
import { type ByteString, byteStringOf } from "../../src/tar/byte-string.ts";
import type { EntrySink } from "../../src/worker/apply-entries.ts";
import { directory, file, type Member, opaque } from "../support/entries.ts";
import { removeTree } from "../support/remove-tree.ts";
import { skipUnlessWhiteouts } from "../support/tools.ts";

const settings = applySettings({ owner: "ignore" });
const reporter = { warning() {}, skipped() {} };

function inDirectory(work: (destination: string) => void): void {
  const destination = mkdtempSync(join(tmpdir(), "oci-unpack-overlay-growth-"));
  try {
    work(destination);
  } finally {
    removeTree(destination);
  }
}

function opened(path: string, work: (descriptor: number) => void): void {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    work(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

test("what layers below have at the root is listed once, however often a layer hides it", () => {
  inDirectory((destination) =>
    opened(destination, (descriptor) => {
      let listings = 0;
      let names = 0;
      const context = newContext(descriptor, settings, reporter, { shared: sharedByLayers(settings.limits) });
      const { root } = context.tree;
      root.clearedIn = -1;
      root.own.lower = {
        stat: {} as never,
        xattrs: new Map(),
        bytes: 0,
        find: () => undefined,
        *names(): Iterable<ByteString> {
          listings += 1;
          for (let n = 0; n < 100; n += 1, names += 1) yield byteStringOf(`name-${n}`);
        },
      };
      const rootfs = new Rootfs(context, { whiteoutsOf: (own) => new OverlayWhiteouts(own) });
      const layer = rootfs.beginLayer(0);
      for (let n = 0; n < 1000; n += 1) apply(layer, opaque(""));
      layer.end();
      rootfs.close();
      assert.deepEqual({ listings, names, hidden: root.own.hidden?.size }, { listings: 1, names: 100, hidden: 100 });
    }),
  );
});

test("directories are looked through once, however often a layer hides what is in them", () => {
  inDirectory((destination) =>
    opened(destination, (descriptor) => {
      const context = newContext(descriptor, settings, reporter, { shared: sharedByLayers(settings.limits) });
      const rootfs = new Rootfs(context, { whiteoutsOf: (own) => new OverlayWhiteouts(own) });
      const layer = rootfs.beginLayer(0);
      apply(layer, directory("d"));
      const made = context.tree.directoryAt(context.tree.root, byteStringOf("d"));
      assert.ok(made !== undefined);
      for (let n = 0; n < 10; n += 1) apply(layer, directory(`d/${n}`));
      let looks = 0;
      const children = [...made.directories()];
      made.directories = () => {
        looks += 1;
        return children;
      };
      for (let n = 0; n < 1000; n += 1) apply(layer, opaque("d"));
      assert.ok(looks <= 1, `it was looked through ${looks} times`);
      layer.end();
      rootfs.close();
    }),
  );
});

test("a layer that hides all that is at the root leaves nothing to ask of the layers below it", {
  skip: skipUnlessWhiteouts(),
}, () => {
  inDirectory((destination) => {
    const format = new OverlayFormat("userxattr");
    const shared = sharedByLayers(defaultLimits);
    const hides = (members: readonly Member[], path: string, lower: readonly number[]): boolean => {
      let hidesAll = false;
      opened(path, (descriptor) => {
        using layer = new OverlayLayer({ directory: descriptor, lower, format, settings, reporter, shared });
        for (const member of members) apply(layer, member);
        layer.end();
        hidesAll = layer.hidesAll;
      });
      return hidesAll;
    };
    const [below, other, another] = ["0", "1", "2"].map((name) => join(destination, name));
    assert.ok(below !== undefined && other !== undefined && another !== undefined);
    for (const path of [below, other, another]) mkdirSync(path);
    assert.equal(hides([file("a"), opaque("")], below, []), false);
    opened(below, (lower) => {
      assert.equal(hides([file("b"), opaque("")], other, [lower]), true);
      assert.equal(hides([file("b"), opaque("d")], another, [lower]), false);
    });
  });
});

function apply(layer: EntrySink, { entry }: Member): void {
  layer.apply(entry, { read: () => undefined });
}
