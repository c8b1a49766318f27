import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, open, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as claims from "../../src/system/claims.ts";
import { eventually } from "../support/eventually.ts";
import { scratch } from "../support/scratch.ts";

test("claims exclude each other as locks do, and end with the file", async () => {
  await using place = await scratch();
  const path = join(place.directory, "in-use.lock");
  const [first, second, third] = [await open(path, "w"), await open(path, "w"), await open(path, "w")];
  assert.equal(await claims.tryToClaim(path, first, "shared"), true);
  assert.equal(await claims.tryToClaim(path, second, "shared"), true);
  assert.equal(await claims.tryToClaim(path, third, "exclusive"), false);
  await first.close();
  await second.close();
  const names = () => readdir(join(place.directory, ".locks"));
  await eventually(
    async () => (await names()).length === 0,
    () => "claims are left",
  );
  assert.equal(await claims.tryToClaim(path, third, "exclusive"), true);
  await using fourth = await open(path, "w");
  assert.equal(await claims.tryToClaim(path, fourth, "shared"), false);
  await third.close();
});

test("the claim of a process that is no more counts for nothing, that of another machine counts", async () => {
  await using place = await scratch();
  const path = join(place.directory, "in-use.lock");
  const { pid } = spawnSync(process.execPath, ["--version"]);
  await using file = await open(path, "w");
  await mkdir(join(place.directory, ".locks"));
  await writeFile(join(place.directory, ".locks", `in-use.lock,exclusive,${pid},0,${hostname()}`), "");
  assert.equal(await claims.tryToClaim(path, file, "shared"), true);
  await writeFile(join(place.directory, ".locks", `in-use.lock,exclusive,${pid},0,elsewhere`), "");
  await using other = await open(path, "w");
  assert.equal(await claims.tryToClaim(path, other, "shared"), false);
});
