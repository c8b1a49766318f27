import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { engineSource } from "../../../src/source/engine.ts";
import { localSource } from "../../../src/source/local/local-source.ts";
import { parsePolicy } from "../../../src/trust/policy/policy.ts";
import { requirementsFor } from "../../../src/trust/policy/scopes.ts";

const accept = [{ type: "insecureAcceptAnything" }];
const scopes = { "docker.io/library": accept, "r.example/app:1": accept, "*.example": accept, "": accept };
const policy = parsePolicy(
  Buffer.from(
    JSON.stringify({ default: accept, transports: { "docker-daemon": scopes, "oci-archive": { "": accept } } }),
  ),
  "policy.json",
);

async function scopeOf(name: string): Promise<string | undefined> {
  await using source = name.startsWith("docker-daemon:") ? engineSource("/nowhere.sock") : localSource();
  const { location } = source.image(name);
  return location && (await requirementsFor(policy, location)).scope;
}

test("a name in an engine has the scopes of that name", async () => {
  assert.equal(await scopeOf("docker-daemon:debian"), 'its scope docker-daemon: "docker.io/library"');
  assert.equal(await scopeOf("docker-daemon:r.example/app:1"), 'its scope docker-daemon: "r.example/app:1"');
  assert.equal(await scopeOf("docker-daemon:r.example:5000/app"), 'its scope docker-daemon: "*.example"');
  assert.equal(await scopeOf("docker-daemon:other.test/app"), "its default for docker-daemon:");
});

test("an ID in an engine has no scope but the transport's default", async () => {
  for (const id of ["0123456789abcdef".repeat(4), `sha256:${"0".repeat(64)}`, "cafe", "sha256:cafe"]) {
    assert.equal(await scopeOf(`docker-daemon:${id}`), "its default for docker-daemon:");
  }
});

test("an archive from standard input has no scope but the transport's default", async () => {
  assert.equal(await scopeOf("oci-archive:-"), "its default for oci-archive:");
});

test("where a policy has nothing for a transport, its default counts", async () => {
  assert.equal(await scopeOf("docker-archive:/nowhere.tar"), "its default");
});
