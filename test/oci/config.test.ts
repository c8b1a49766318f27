import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { chainIDs, parseConfig } from "../../src/oci/config.ts";
import { digestOf } from "../../src/oci/digest.ts";

const diffID = `sha256:${"ab".repeat(32)}`;
const rootfs = { type: "layers", diff_ids: [diffID] };
const minimal = { os: "linux", architecture: "amd64", rootfs };

test("a config is read whole", () => {
  const config = read({
    ...minimal,
    architecture: "arm64",
    variant: "v8",
    created: "2024-01-01T00:00:00Z",
    author: "Ada",
    config: {
      User: "65532:65532",
      Env: ["PATH=/bin"],
      Entrypoint: ["/init"],
      Cmd: ["--serve"],
      WorkingDir: "/srv",
      StopSignal: "SIGTERM",
      Labels: { a: "b" },
      Volumes: { "/data": {} },
      ExposedPorts: { "8080/tcp": {}, "53/udp": {} },
      Healthcheck: { Test: ["NONE"] },
    },
    history: [
      { created_by: "ADD / /", created: "2024-01-01T00:00:00Z" },
      { empty_layer: true, comment: "CMD" },
    ],
  });
  assert.deepEqual(config, {
    platform: { os: "linux", architecture: "arm64" },
    diffIDs: [diffID],
    execution: {
      user: "65532:65532",
      env: ["PATH=/bin"],
      entrypoint: ["/init"],
      cmd: ["--serve"],
      workingDir: "/srv",
      stopSignal: "SIGTERM",
      labels: { a: "b" },
      volumes: ["/data"],
      exposedPorts: ["8080/tcp", "53/udp"],
    },
    created: "2024-01-01T00:00:00Z",
    author: "Ada",
    history: [
      { created: "2024-01-01T00:00:00Z", createdBy: "ADD / /", isEmptyLayer: false },
      { comment: "CMD", isEmptyLayer: true },
    ],
  });
});

test("null is absent, as the specification says of every optional member", () => {
  const nulls = Object.fromEntries(
    ["User", "Env", "Entrypoint", "Cmd", "WorkingDir", "StopSignal", "Labels", "Volumes", "ExposedPorts"].map((key) => [
      key,
      null,
    ]),
  );
  const expected = { platform: { os: "linux", architecture: "amd64" }, diffIDs: [diffID], execution: {} };
  assert.deepEqual(read({ ...minimal, config: nulls, history: null, created: null, variant: null }), expected);
  assert.deepEqual(read({ ...minimal, config: null }), expected);
});

test("a null in a map or a list is what Go makes of it: the empty text, or an object without members", () => {
  const config = { Labels: { a: null, b: "c" }, Env: ["A=1", null], Cmd: [null], Volumes: { "/data": null } };
  assert.deepEqual(read({ ...minimal, config }).execution, {
    labels: { a: "", b: "c" },
    env: ["A=1", ""],
    cmd: [""],
    volumes: ["/data"],
  });
  assert.deepEqual(read({ ...minimal, history: [null] }).history, [{ isEmptyLayer: false }]);
});

test("labels, volumes and ports that differ in case are different ones; two members of a config are not", () => {
  const config = { Labels: { a: "1", A: "2" }, Volumes: { "/a": {}, "/A": {} } };
  assert.deepEqual(read({ ...minimal, config }).execution, { labels: { a: "1", A: "2" }, volumes: ["/a", "/A"] });
  for (const twice of [
    { ...minimal, RootFS: rootfs },
    { ...minimal, rootfs: { ...rootfs, Diff_IDs: [] } },
    { ...minimal, OS: "windows" },
    { ...minimal, config: { User: "app", user: "root" } },
    { ...minimal, config: { WorkingDir: "/", "wor\u212aingdir": "/srv" } },
    { ...minimal, history: [{ empty_layer: true, Empty_Layer: false }] },
  ]) {
    assert.throws(() => read(twice), { code: "INVALID_CONFIG", message: /twice, in upper and lower case$/ });
  }
});

test("unknown members are ignored", () => {
  assert.deepEqual(read({ ...minimal, container_config: { Env: 5 }, "moby.buildkit.buildinfo.v1": [] }), read(minimal));
});

test("S11: an image without layers is an image", () => {
  assert.deepEqual(read({ ...minimal, rootfs: { type: "layers", diff_ids: [] } }).diffIDs, []);
  assert.deepEqual(read({ ...minimal, rootfs: { type: "layers", diff_ids: null } }).diffIDs, []);
});

test("a config that states no platform is for an unknown one", () => {
  assert.deepEqual(read({ rootfs }).platform, { os: "unknown", architecture: "unknown" });
  assert.deepEqual(read({ rootfs, architecture: "s390x" }).platform, { os: "unknown", architecture: "s390x" });
});

test("R-32: a key that stands twice is refused in a config too", () => {
  assert.match(refusal(`{"rootfs":${JSON.stringify(rootfs)},"os":"linux","os":"linux"}`), /it has the key "os" twice/);
});

test("a root filesystem is made of layers, or nobody knows how", () => {
  assert.equal(
    refusal({ ...minimal, rootfs: { type: "squashfs" } }),
    `${cannot}: "rootfs.type": "squashfs" is not "layers"`,
  );
  assert.equal(refusal({ ...minimal, rootfs: {} }), `${cannot}: "rootfs": it has no "type"`);
  assert.equal(refusal({ os: "linux" }), `${cannot}: it has no "rootfs"`);
});

test("a diffID is a digest", () => {
  for (const wrong of ["sha256:../..", "", 5, null, {}]) {
    assert.match(
      refusal({ ...minimal, rootfs: { type: "layers", diff_ids: [diffID, wrong] } }),
      /"rootfs\.diff_ids\[1\]"/,
    );
  }
});

test("a member of the wrong type is named with its place", () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ config: [] }, '"config": [] is not an object'],
    [{ config: { Env: "PATH" } }, '"config.Env": "PATH" is not a list'],
    [{ config: { Cmd: [1] } }, '"config.Cmd[0]": 1 is not a string'],
    [{ config: { User: 0 } }, '"config.User": 0 is not a string'],
    [{ config: { Labels: { a: {} } } }, '"config.Labels.a": {} is not a string'],
    [{ config: { Volumes: ["/x"] } }, '"config.Volumes": ["/x"] is not an object'],
    [{ os: 1 }, '"os": 1 is not a string'],
    [{ history: [{ empty_layer: "yes" }] }, '"history[0].empty_layer": "yes" is not true or false'],
  ];
  for (const [members, found] of wrong) assert.equal(refusal({ ...minimal, ...members }), `${cannot}: ${found}`);
});

test("what is no JSON is said to be none", () => {
  for (const text of ["", "<html>", "{", "\ufeff{}", "[".repeat(100_000)])
    assert.ok(refusal(text).startsWith(`${cannot}: `));
});

const cannot = "cannot read the image's config";

function read(config: unknown) {
  return parseConfig(Buffer.from(typeof config === "string" ? config : JSON.stringify(config)));
}

function refusal(config: unknown): string {
  try {
    read(config);
  } catch (error) {
    if (isOciUnpackError(error, "INVALID_CONFIG")) return error.message;
    throw error;
  }
  return assert.fail("it was read");
}

const sha256 = (text: string) => `sha256:${createHash("sha256").update(text).digest("hex")}`;

test("a chainID names a layer together with those below it, and the lowest one is its diffID", () => {
  const [one, two, three] = ["1", "2", "3"].map((text) => digestOf(Buffer.from(text)));
  assert.ok(one !== undefined && two !== undefined && three !== undefined);
  const second = sha256(`${one} ${two}`);
  assert.deepEqual(chainIDs([one, two, three]), [one, second, sha256(`${second} ${three}`)]);
  assert.deepEqual(chainIDs([]), []);
});
