import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { XattrIds } from "../../src/rootfs/xattr-ids.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";
import { accessControlList } from "../support/acl.ts";
import { built } from "../support/building.ts";
import { directory, file } from "../support/entries.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";

const uidMap = [{ containerID: 0, hostID: 100_000, size: 2000 }];
const gidMap = [{ containerID: 0, hostID: 200_000, size: 2000 }];

const access = byteStringOf("system.posix_acl_access");
const capability = byteStringOf("security.capability");

type Named = readonly [tag: "user" | "group", permission: number, id: number];

/** A list with what every list has, and entries for some by number. */
function listFor(...named: readonly Named[]): Uint8Array {
  const users = named.filter(([tag]) => tag === "user");
  const groups = named.filter(([tag]) => tag === "group");
  return accessControlList(["user", 6], ...users, ["group", 4], ...groups, ["mask", 6], ["other", 0]);
}

/** cap_net_bind_service, permitted and effective. */
function capabilities(revision: 2 | 3, root?: number): Uint8Array {
  const bytes = Buffer.alloc(root === undefined ? 20 : 24);
  bytes.writeUInt32LE(revision * 2 ** 24 + 1, 0);
  bytes.writeUInt32LE(1 << 10, 4);
  if (root !== undefined) bytes.writeUInt32LE(root, 20);
  return Uint8Array.from(bytes);
}

describe("ids in extended attributes", () => {
  const ids = new XattrIds({ uidMap, gidMap });

  test("of users and groups in access-control lists are mapped, and mapped back", () => {
    const stated = listFor(["user", 7, 5], ["group", 4, 6]);
    const { value, problem } = ids.onThisMachine(access, stated);
    assert.deepEqual(value, listFor(["user", 7, 100_005], ["group", 4, 200_006]));
    assert.equal(problem, undefined);
    assert.deepEqual(ids.statedFor(access, value), stated);
  });

  test("who have no place in a map lose their entries, and nobody else does", () => {
    const { value, problem } = ids.onThisMachine(
      access,
      listFor(["user", 7, 5], ["user", 7, 5000], ["group", 7, 5000]),
    );
    assert.deepEqual(value, listFor(["user", 7, 100_005]));
    assert.equal(problem, "the maps have no user 5000");
  });

  test("are those of the machine where no map is in force", () => {
    const stated = listFor(["user", 7, 5], ["group", 4, 6]);
    assert.deepEqual(new XattrIds({}).onThisMachine(access, stated), { value: stated });
  });

  test("cannot be found in what is no list", () => {
    for (const value of [new Uint8Array(0), new Uint8Array(12), listFor(["user", 7, 5]).subarray(0, 13)]) {
      assert.equal(ids.onThisMachine(access, value).value, undefined);
    }
  });

  test("make file capabilities those of the container's root", () => {
    assert.deepEqual(ids.onThisMachine(capability, capabilities(2)), { value: capabilities(3, 100_000) });
    assert.deepEqual(ids.onThisMachine(capability, capabilities(3, 7)), { value: capabilities(3, 100_007) });
    assert.equal(ids.onThisMachine(capability, capabilities(3, 5000)).value, undefined);
    assert.deepEqual(ids.statedFor(capability, capabilities(3, 100_000)), capabilities(2));
    const without = new XattrIds({ gidMap });
    assert.deepEqual(without.onThisMachine(capability, capabilities(2)), { value: capabilities(2) });
    assert.deepEqual(without.onThisMachine(capability, capabilities(3, 0)), { value: capabilities(2) });
    assert.deepEqual(without.onThisMachine(capability, capabilities(3, 7)), { value: capabilities(3, 7) });
    const odd = Uint8Array.of(0, 0, 0, 1, 5);
    assert.deepEqual(ids.onThisMachine(capability, odd), { value: odd });
  });
});

describe("with maps of users and groups", { skip: skipUnlessRoot() || skipWithout("setfacl") }, () => {
  const members = [
    directory("d", { xattrs: { "system.posix_acl_default": listFor(["user", 7, 5]) } }),
    file("d/listed", "1", {
      mode: 0o640,
      xattrs: { "system.posix_acl_access": listFor(["user", 6, 5], ["user", 6, 5000], ["group", 4, 6]) },
    }),
    file("program", "1", { mode: 0o755, xattrs: { "security.capability": capabilities(2) } }),
    file("other", "1", { mode: 0o755, xattrs: { "security.capability": capabilities(3, 5000) } }),
  ];

  test("nobody on this machine gets rights by an access-control list or a file capability", () => {
    using rootfs = built([members], { owner: "preserve", uidMap, gidMap });
    const listOf = (path: string) =>
      execFileSync("getfacl", ["-n", "-c", "-E", path], { cwd: rootfs.directory, encoding: "utf8" });
    assert.deepEqual(listOf("d/listed").trim().split("\n"), [
      ...["user::rw-", "user:100005:rw-", "group::r--", "group:200006:r--", "mask::rw-", "other::---"],
    ]);
    assert.match(listOf("d"), /^default:user:100005:rwx/m);
    const { tree } = rootfs;
    const value = Buffer.from(tree.program?.xattrs["security.capability"] ?? "", "latin1");
    assert.deepEqual(Uint8Array.from(value), capabilities(3, 100_000));
    assert.deepEqual(tree.other?.xattrs, {});
    assert.deepEqual(rootfs.skipped, ["d/listed: xattr-unmapped", "other: xattr-unmapped"]);
    assert.deepEqual(rootfs.warnings, ["XATTR_NOT_APPLIED d/listed", "XATTR_NOT_APPLIED other"]);
  });

  test("an attribute that somebody without a place is in is refused strictly", () => {
    for (const member of [members[1], members[3]]) {
      const layers = [[directory("d"), ...(member === undefined ? [] : [member])]];
      assert.throws(
        () => built(layers, { owner: "preserve", uidMap, gidMap, strict: true }),
        (error) => isOciUnpackError(error, "STRICT_VIOLATION"),
      );
    }
  });
});
