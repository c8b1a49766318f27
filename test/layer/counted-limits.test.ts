import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { applied } from "../rules/apply.ts";
import { directory, file, symlink, tar } from "../support/tar-builder.ts";
import { merged } from "../tree/merged.ts";

const forms = { "in memory": merged, "on a disk": applied };

/** 40 symlinks of 4095 bytes each, one leading to the next and the last to a directory. */
function longWay(): readonly Uint8Array[] {
  const padding = (end: string) => `${"./".repeat(2047)}`.slice(0, 4095 - end.length) + end;
  const links = Array.from({ length: 40 }, (_, n) => symlink(`l${n}`, padding(n === 39 ? "/d" : `/l${n + 1}`)));
  return [directory("d"), ...links];
}

describe("symlinks on the way of entries", () => {
  for (const [where, outcomeOf] of Object.entries(forms)) {
    test(`${where}: an entry may have the longest way that Linux follows`, () => {
      const { outcome } = outcomeOf([tar(...longWay(), file("l0/f", "1"))]);
      assert.ok(typeof outcome === "object");
      assert.ok("d/f" in outcome);
    });

    test(`${where}: a thousand that each have such a way are refused before they take their time`, () => {
      const files = Array.from({ length: 1000 }, (_, n) => file(`l0/${"./".repeat(n % 40)}${n}/f`));
      const { outcome, message = "" } = outcomeOf([tar(...longWay(), ...files)]);
      assert.equal(outcome, "ENTRY_REFUSED");
      assert.match(message, /ways through symlinks/);
    });

    test(`${where}: any number may lead through what images have`, () => {
      const links = [directory("usr/lib"), symlink("lib", "usr/lib"), symlink("lib64", "/lib/")];
      const files = Array.from({ length: 3000 }, (_, n) => file(`lib64/${n}/f`));
      assert.ok(typeof outcomeOf([tar(...links, ...files)]).outcome === "object");
    });

    test(`${where}: a target with a name that no file system stores leads nowhere`, () => {
      const { outcome } = outcomeOf([tar(symlink("l", `d/${"x".repeat(256)}`), file("l/f"))]);
      assert.equal(outcome, "ENTRY_REFUSED");
    });
  }
});
