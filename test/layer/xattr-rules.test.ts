import assert from "node:assert/strict";
import { test } from "node:test";
import { XattrFilter, type XattrVerdict } from "../../src/layer/xattr-rules.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";

const ofClusters = [
  "ceph.dir.layout.pool",
  "ceph.quota.max_bytes",
  "lustre.lov",
  "trusted.lov",
  "trusted.lma",
  "trusted.lmv",
  "trusted.link",
  "trusted.fid",
  "trusted.version",
  "trusted.glusterfs.dht",
  "trusted.gfid",
  "trusted.gfid2path.0123",
  "trusted.afr.volume-client-0",
  "trusted.SGI_ACL_FILE",
  "trusted.SGI_ACL_DEFAULT",
  "gpfs.CLONE",
  "afs.acl",
  "system.cifs_acl",
  "system.smb3_ntsd_full",
  "system.nfs4_dacl",
  "trusted.junction.nfs",
  "user.rsync.%stat",
];

const own = [
  "user.comment",
  "user.link",
  "user.version",
  "trusted.mine",
  "trusted.linked",
  "trusted.versions",
  "security.capability",
  "system.posix_acl_access",
  "system.posix_acl_default",
];

function verdicts(names: readonly string[], filter: XattrFilter): readonly XattrVerdict[] {
  return names.map((name) => filter.verdict(byteStringOf(name)));
}

test("what file systems that span machines keep of their own is left out, unless it is asked for", () => {
  const leftOut = ofClusters.map(() => "leave-out");
  assert.deepEqual(verdicts(ofClusters, new XattrFilter({ include: [], exclude: [] })), leftOut);
  const asked = new XattrFilter({ include: ofClusters, exclude: [] });
  assert.deepEqual(new Set(verdicts(ofClusters, asked)), new Set(["set"]));
});

test("attributes that only look like those are the image's", () => {
  assert.deepEqual(new Set(verdicts(own, new XattrFilter({ include: [], exclude: [] }))), new Set(["set"]));
});
