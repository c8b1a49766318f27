import assert from "node:assert/strict";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { locationsOf } from "../../src/configuration/image-names.ts";
import { emptyRegistriesConf, type RegistriesConf } from "../../src/configuration/registries-conf.ts";
import { parseRegistriesConf } from "../../src/configuration/registries-conf-parser.ts";
import type { EndpointQuery } from "../../src/registry/options.ts";

function conf(...texts: readonly string[]): RegistriesConf {
  return texts.reduce(
    (before, text, index) => parseRegistriesConf(`/${index}.conf`, text, before),
    emptyRegistriesConf,
  );
}

function query(name: string): EndpointQuery {
  const [, host = "", repository = "", tag, digest] = /^([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(.*))?$/.exec(name) ?? [];
  return { host, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** `host/repository` of each place, with what it may not be asked for, and `!` where it is insecure. */
function places(configuration: RegistriesConf, name: string): string[] {
  return locationsOf(configuration, query(name)).map((place) => {
    const limits = `${place.resolvesTags ? "" : " no-tags"}${place.servesDigests ? "" : " no-digests"}`;
    return `${place.host}/${place.repository}${limits}${place.insecure ? " !" : ""}`;
  });
}

function refused(text: string, message: RegExp): void {
  assert.throws(
    () => conf(text),
    (error) => isOciUnpackError(error, "CONFIGURATION") && message.test(error.message),
  );
}

const manual = `
  unqualified-search-registries = ["example.com"]
  [[registry]]
  prefix = "example.com/foo"
  location = "internal-registry-for-example.com/bar"
  [[registry.mirror]]
  location = "example-mirror-0.local/mirror-for-foo"
  [[registry.mirror]]
  location = "example-mirror-1.local/mirrors/foo"
  insecure = true
  [[registry]]
  location = "registry.com"
  [[registry.mirror]]
  location = "mirror.registry.com"`;

test("R-72: the example of podman's manual page gives the places that the page says", () => {
  assert.deepEqual(places(conf(manual), "example.com/foo/image:latest"), [
    "example-mirror-0.local/mirror-for-foo/image",
    "example-mirror-1.local/mirrors/foo/image !",
    "internal-registry-for-example.com/bar/image",
  ]);
  assert.deepEqual(places(conf(manual), "registry.com/image:latest"), [
    "mirror.registry.com/image",
    "registry.com/image",
  ]);
  assert.deepEqual(places(conf(manual), "elsewhere.com/image:latest"), ["elsewhere.com/image"]);
});

test("R-72: the longest prefix wins, and prefixes end where names do", () => {
  const configuration = conf(`
    [[registry]]
    location = "r.example"
    [[registry]]
    prefix = "r.example/ns"
    location = "one.example"
    [[registry]]
    prefix = "r.example/ns/image"
    location = "two.example/x"
    [[registry]]
    prefix = "r.example/ns/image:v1"
    location = "three.example/y:v1"`);
  assert.deepEqual(places(configuration, "r.example/other:v1"), ["r.example/other"]);
  assert.deepEqual(places(configuration, "r.example/ns/images:v1"), ["one.example/images"]);
  assert.deepEqual(places(configuration, "r.example/ns/image:v2"), ["two.example/x"]);
  assert.deepEqual(places(configuration, "r.example/ns/image:v1"), ["three.example/y"]);
  assert.deepEqual(places(configuration, "r.example/nsx/image:v1"), ["r.example/nsx/image"]);
  assert.deepEqual(places(conf(`[[registry]]\nprefix = "r.example"\nlocation = "m.example"`), "r.example:5000/a:b"), [
    "r.example:5000/a",
  ]);
});

test("R-72: a wildcard matches at any depth below its host, and rewrites only where it says where to", () => {
  const configuration = conf(`
    [[registry]]
    prefix = "*.example.com"
    insecure = true
    [[registry.mirror]]
    location = "mirror.local/all"
    [[registry]]
    prefix = "*.moved.example"
    location = "new.example/old"`);
  assert.deepEqual(places(configuration, "a.b.example.com:5000/ns/image:v1"), [
    "mirror.local/all/ns/image",
    "a.b.example.com:5000/ns/image !",
  ]);
  assert.deepEqual(places(configuration, "example.com/image:v1"), ["example.com/image"]);
  assert.deepEqual(places(configuration, "badexample.com/image:v1"), ["badexample.com/image"]);
  assert.deepEqual(places(configuration, "a.moved.example/image:v1"), ["new.example/old/image"]);
});

test("R-72, R-73: mirrors for digests say nothing about tags, mirrors for tags are left out for digests", () => {
  const mirrors = (more: string, pulls: string) =>
    conf(`
    [[registry]]
    location = "r.example"
    ${more}
    [[registry.mirror]]
    location = "m.example"
    ${pulls}`);
  const digest = `r.example/image@sha256:${"0".repeat(64)}`;
  for (const configuration of [
    mirrors("mirror-by-digest-only = true", ""),
    mirrors("", 'pull-from-mirror = "digest-only"'),
  ]) {
    assert.deepEqual(places(configuration, "r.example/image:v1"), ["m.example/image no-tags", "r.example/image"]);
    assert.deepEqual(places(configuration, digest), ["m.example/image no-tags", "r.example/image"]);
  }
  const tagOnly = mirrors("", 'pull-from-mirror = "tag-only"');
  assert.deepEqual(places(tagOnly, "r.example/image:v1"), ["m.example/image", "r.example/image"]);
  assert.deepEqual(places(tagOnly, digest), ["r.example/image"]);
  assert.deepEqual(places(mirrors("", 'pull-from-mirror = "all"'), digest), ["m.example/image", "r.example/image"]);
});

test("R-72: official images of Docker Hub are matched by their whole name only", () => {
  const mirrored = (prefix: string) => conf(`[[registry]]\nprefix = "${prefix}"\nlocation = "m.example/hub"`);
  assert.deepEqual(places(mirrored("docker.io/library"), "docker.io/library/debian:stable"), ["m.example/hub/debian"]);
  assert.deepEqual(places(mirrored("docker.io/debian"), "docker.io/library/debian:stable"), [
    "docker.io/library/debian",
  ]);
  assert.deepEqual(places(mirrored("docker.io"), "docker.io/library/debian:stable"), ["m.example/hub/library/debian"]);
});

test("R-72: a blocked image is refused, with the file that says so", () => {
  const configuration = conf(`[[registry]]\nlocation = "r.example/bad"\nblocked = true`);
  assert.throws(
    () => locationsOf(configuration, query("r.example/bad/image:v1")),
    (error) =>
      isOciUnpackError(error, "POLICY_DENIED") &&
      error.message === 'cannot pull from r.example/bad/image: "r.example/bad" is blocked' &&
      error.hint === "see /0.conf",
  );
  assert.deepEqual(places(configuration, "r.example/good/image:v1"), ["r.example/good/image"]);
});

test("R-72: a later file replaces whole tables by prefix and single settings by name", () => {
  const first = `
    short-name-mode = "enforcing"
    unqualified-search-registries = ["a.example"]
    [[registry]]
    location = "r.example"
    insecure = true
    [aliases]
    one = "a.example/one"
    two = "a.example/two"`;
  const second = `
    unqualified-search-registries = []
    [[registry]]
    location = "r.example"
    [[registry.mirror]]
    location = "m.example"
    [aliases]
    one = ""
    three = "a.example/three"`;
  const merged = conf(first, second);
  assert.deepEqual(places(merged, "r.example/image:v1"), ["m.example/image", "r.example/image"]);
  assert.deepEqual(
    [...merged.aliases],
    [
      ["two", "a.example/two"],
      ["three", "a.example/three"],
    ],
  );
  assert.deepEqual([merged.shortNameMode, merged.unqualifiedSearchRegistries], ["enforcing", []]);
});

test("R-72: what podman refuses is refused, naming the file and the key", () => {
  refused(
    '[[registry]]\nlocation = "https://r.example"',
    /^cannot use "\/0\.conf": line 2: registry\.location is not HOST\[:PORT\]\[\/PATH\]$/,
  );
  refused("[[registry]]\ninsecure = true", /prefix and location are both missing$/);
  refused('[[registry]]\nprefix = "r.example"', /location is missing$/);
  for (const prefix of ["example.*.com", "*.example.com/foo", "*.example.com:5000", "*"]) {
    refused(`[[registry]]\nprefix = "${prefix}"\nlocation = "r.example"`, /registry\.prefix is not/);
  }
  refused('[[registry]]\nprefix = "r.example/a:v1"\nlocation = "m.example/a:v2"', /location is not HOST/);
  refused(
    '[[registry]]\nlocation = "r.example"\n[[registry.mirror]]\ninsecure = true',
    /registry\.mirror\.location is missing$/,
  );
  refused(
    '[[registry]]\nlocation = "r.example"\nmirror-by-digest-only = true\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "all"',
    /contradicts/,
  );
  refused(
    '[[registry]]\nlocation = "r.example"\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "some"',
    /is none of all, digest-only, tag-only$/,
  );
  refused(
    '[[registry]]\nprefix = "a.example"\nlocation = "r.example"\n[[registry]]\nprefix = "b.example"\nlocation = "r.example"\nblocked = true',
    /has "r\.example" twice/,
  );
  assert.throws(
    () => places(conf('[[registry]]\nprefix = "r.example/image"\nlocation = "m.example"'), "r.example/image:v1"),
    (error) => isOciUnpackError(error, "CONFIGURATION") && / names no repository$/.test(error.message),
  );
  refused('short-name-mode = "strict"', /short-name-mode is none of/);
  refused('[aliases]\n"r.example/a" = "r.example/b"', /is not a short name$/);
  refused('[aliases]\na = "library/b"', /does not stand for/);
  refused('[aliases]\na = "r.example/b:v1"', /does not stand for/);
  refused('[registries.search]\nregistries = ["r.example"]', /belongs to version 1 of the format$/);
});
