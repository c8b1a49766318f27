import assert from "node:assert/strict";
import { test } from "node:test";
import { parseChallenges } from "../../../src/registry/auth/challenge.ts";
import { processorSeconds } from "../../support/processor-time.ts";

function parsed(header: string | readonly string[]): unknown[] {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test("R-11: the challenges of real registries are understood", () => {
  assert.deepEqual(
    parsed(
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull,push"',
    ),
    [
      [
        "bearer",
        {
          realm: "https://auth.docker.io/token",
          service: "registry.docker.io",
          scope: "repository:library/debian:pull,push",
        },
      ],
    ],
    "Docker Hub: the comma within quotes parts nothing",
  );
  assert.deepEqual(parsed('Bearer realm="https://ghcr.io/token",service="ghcr.io",scope="repository:a/b:pull"'), [
    ["bearer", { realm: "https://ghcr.io/token", service: "ghcr.io", scope: "repository:a/b:pull" }],
  ]);
  assert.deepEqual(parsed('Basic realm="https://1.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com"'), [
    ["basic", { realm: "https://1.dkr.ecr.us-east-1.amazonaws.com/", service: "ecr.amazonaws.com" }],
  ]);
  assert.deepEqual(parsed('Basic realm="Artifactory Realm"'), [["basic", { realm: "Artifactory Realm" }]]);
});

test("R-11: several challenges in one header are several challenges", () => {
  const codeberg =
    'Bearer realm="https://codeberg.org/v2/token",service="container_registry",scope="*",Basic realm="https://codeberg.org/v2"';
  assert.deepEqual(parsed(codeberg), [
    ["bearer", { realm: "https://codeberg.org/v2/token", service: "container_registry", scope: "*" }],
    ["basic", { realm: "https://codeberg.org/v2" }],
  ]);
  assert.deepEqual(parsed('Negotiate, Basic realm="x"'), [
    ["negotiate", {}],
    ["basic", { realm: "x" }],
  ]);
  assert.deepEqual(parsed('Negotiate YWJj==, Basic realm="x"'), [
    ["negotiate", {}],
    ["basic", { realm: "x" }],
  ]);
});

test("R-11: several headers are read as one list", () => {
  assert.deepEqual(parsed(["Basic realm=a", 'Bearer realm="b"']), [
    ["basic", { realm: "a" }],
    ["bearer", { realm: "b" }],
  ]);
});

test("R-11: schemes and names are read in any case, values as tokens or quoted, with escapes", () => {
  assert.deepEqual(parsed('bEaReR REALM=https://x/token , Service = "a \\"b\\" \\\\ c"'), [
    ["bearer", { realm: "https://x/token", service: 'a "b" \\ c' }],
  ]);
  assert.deepEqual(parsed("Basic"), [["basic", {}]]);
});

test("R-11: what makes no sense hides nothing that does", () => {
  assert.deepEqual(parsed(',,;;=="", Bearer realm="x"').at(-1), ["bearer", { realm: "x" }]);
  assert.deepEqual(parsed('Bearer realm="unterminated'), [["bearer", { realm: "unterminated" }]]);
  assert.deepEqual(parsed(""), []);
  assert.deepEqual(parseChallenges(undefined), []);
});

test("a challenge takes time in proportion to its length", () => {
  const hostile = [`${"a ".repeat(30_000)}`, ",=".repeat(30_000), `a="${"\\\\".repeat(30_000)}`, "a=b,".repeat(20_000)];
  const seconds = processorSeconds(() => {
    for (const header of hostile) parseChallenges(header);
  });
  assert.ok(seconds < 5, `${seconds} s`);
});
