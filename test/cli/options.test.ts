import assert from "node:assert/strict";
import { test } from "node:test";
import { commandNames } from "../../src/cli/command-table.ts";
import { guess } from "../../src/cli/early-start.ts";
import { errorReportOf } from "../../src/cli/error-report.ts";
import { asksForJson, parseCommand } from "../../src/cli/options.ts";
import type { UnpackCommand } from "../../src/cli/unpack-options.ts";
import { UsageError } from "../../src/cli/usage-error.ts";

test("an image and a directory are all that is needed", () => {
  assert.deepEqual(parseCommand(["debian:stable", "./debian"], {}), {
    name: "unpack",
    image: "debian:stable",
    directory: "./debian",
    output: { form: "rootfs" },
    options: {},
    bundle: "none",
    connection: { environment: {}, registry: {} },
    store: undefined,
    isOffline: false,
    hasIndexes: true,
    username: undefined,
    limits: [],
    json: false,
    verbosity: "normal",
    explain: false,
  });
});

test("options may stand before, between and after the image and the directory", () => {
  const expected = unpackOf("--json", "-p", "linux/arm64", "alpine", "dir");
  assert.deepEqual(unpackOf("alpine", "--json", "dir", "--platform=linux/arm64"), expected);
  assert.deepEqual(unpackOf("alpine", "dir", "-plinux/arm64", "--json"), expected);
});

test("every option reaches the library under its own name", () => {
  const command = unpackOf(
    ...["--platform", "linux/arm/v7", "--sandbox", "prefer", "--owner", "ignore", "--devices", "create"],
    ...["--strict", "--keep-dirlinks", "--plain-http", "-u", "me", "--password-stdin"],
    ...["--rootless", "--uid-map", "0:1000", "--uid-map=1:100000:65535", "--gid-map", "0:100:5"],
    ...["--xattr-include", "user.overlay.*", "--xattr-exclude=user.a", "--xattr-exclude=user.b"],
    ...["--limit", "entries=5", "--limit", "totalBytes=1G", "-q", "alpine", "dir"],
  );
  assert.deepEqual(command.options, {
    platform: "linux/arm/v7",
    sandbox: "prefer",
    owner: "ignore",
    recordOwners: true,
    uidMap: [
      { containerID: 0, hostID: 1000, size: 1 },
      { containerID: 1, hostID: 100_000, size: 65_535 },
    ],
    gidMap: [{ containerID: 0, hostID: 100, size: 5 }],
    devices: "create",
    strict: true,
    keepDirlinks: true,
    xattrInclude: ["user.overlay.*"],
    xattrExclude: ["user.a", "user.b"],
  });
  assert.deepEqual(command.limits, ["entries=5", "totalBytes=1G"]);
  assert.deepEqual(command.connection, { environment: { plainHttp: true }, registry: {} });
  assert.deepEqual([command.username, command.verbosity], ["me", "quiet"]);
});

test("every option about registries reaches the library under its own name", () => {
  const { connection } = unpackOf(
    ...["--authfile", "auth.json", "--hosts-dir", "hosts", "--short-names", "podman", "--all-proxy"],
    ...["--tls-ca=a.pem", "--tls-ca=b.pem", "--tls-cert", "c.pem", "--tls-key", "k.pem", "--insecure-skip-tls-verify"],
    ...["--allow-host=*.corp.test", "--allow-host", "10.0.0.0/8", "--deny-private"],
    ...["--foreign-layers", "--connections-per-blob", "4", "alpine", "dir"],
  );
  assert.deepEqual(connection, {
    environment: {
      authFile: "auth.json",
      hostsDirectory: "hosts",
      shortNames: "podman",
      allProxy: true,
      tlsCa: ["a.pem", "b.pem"],
      tlsCert: "c.pem",
      tlsKey: "k.pem",
      insecureSkipTlsVerify: true,
    },
    registry: {
      network: { allowHosts: ["*.corp.test", "10.0.0.0/8"], denyPrivate: true },
      foreignLayers: true,
      connectionsPerBlob: 4,
    },
  });
});

test("--arch and --os choose one part of the platform", () => {
  assert.deepEqual(unpackOf("--arch", "arm64", "i", "d").options.platform, { architecture: "arm64" });
  assert.deepEqual(unpackOf("--arch=arm/v7", "i", "d").options.platform, { architecture: "arm", variant: "v7" });
  assert.deepEqual(unpackOf("--os=freebsd", "--arch=amd64", "i", "d").options.platform, {
    os: "freebsd",
    architecture: "amd64",
  });
});

test("--can-skip-sandbox is --sandbox prefer", () => {
  assert.equal(unpackOf("--can-skip-sandbox", "i", "d").options.sandbox, "prefer");
  assert.equal(unpackOf("--can-skip-sandbox", "--sandbox=prefer", "i", "d").options.sandbox, "prefer");
});

test("of an option given twice the last one counts", () => {
  assert.equal(unpackOf("--owner", "ignore", "--owner", "preserve", "i", "d").options.owner, "preserve");
});

test("SOURCE_DATE_EPOCH becomes the time of what has none", () => {
  const command = parseCommand(["i", "d"], { SOURCE_DATE_EPOCH: "1700000000" }) as UnpackCommand;
  assert.equal(command.options.sourceDateEpoch, 1_700_000_000);
  assert.deepEqual((parseCommand(["i", "d"], { SOURCE_DATE_EPOCH: "" }) as UnpackCommand).options, {});
});

test("after -- everything is an argument", () => {
  const command = unpackOf("--json", "--", "image", "--strict");
  assert.equal(command.directory, "--strict");
  assert.equal(unpackOf("-q", "--", "ls", "dir").image, "ls");
});

test("--help and --version need nothing else", () => {
  for (const [line, topic, isWhole] of [
    ["--help", "unpack", false],
    ["-h debian", "unpack", false],
    ["login --help", "login", false],
    ["logout -h", "logout", false],
    ["--help login", "login", false],
    ["-h ls", "ls", false],
    ["help", "unpack", false],
    ["help store", "store", false],
    ["--help all", "unpack", true],
    ["ls --help all", "ls", true],
    ["--help ls all", "ls", true],
    ["store --help all", "store", true],
    ["help all", "unpack", true],
    ["help sync all", "sync", true],
  ] as const) {
    assert.deepEqual(parseCommand(line.split(" "), {}), { name: "help", topic, isWhole }, line);
  }
  assert.deepEqual(parseCommand(["--version"], {}), { name: "version" });
  assert.deepEqual(parseCommand(["--limit", "help"], {}), { name: "limits" });
});

const refused: readonly [title: string, args: readonly string[], message: string, hint: string][] = [
  ["nothing at all", [], "IMAGE and DIRECTORY are missing", "oci-unpack debian:stable ./debian"],
  ["an empty image", ["", "dir"], "IMAGE and DIRECTORY are missing", "oci-unpack debian:stable ./debian"],
  ["a dash for a directory", ["alpine", "-"], "a directory does not fit into standard output", "--output tar -o -"],
  ["a dash for an mtree list", ["--mtree=-", "alpine", "d"], "it has to be a file", "./-"],
  ["a command behind its options", ["-q", "ls", "alpine"], "comes before its options", "docker.io/library/ls"],
  [
    "one with an option of its own",
    ["--plain-http", "ls", "-R", "a"],
    "comes before its options",
    "write oci-unpack ls",
  ],
  ["unpacking behind its options", ["-q", "pull", "alpine", "d"], "comes before its options", "docker.io/library/pull"],
  ["a misspelt command", ["lgoin", "ghcr.io"], 'cannot unpack "lgoin"', "did you mean oci-unpack login?"],
  ["another one", ["isnpect", "alpine"], 'cannot unpack "isnpect"', "did you mean oci-unpack inspect?"],
  ["one with a letter too few", ["verfy", "dir", "alpine"], "misspelt command", "docker.io/library/verfy"],
  ["a command of other tools", ["list", "alpine"], "misspelt command", "did you mean oci-unpack ls?"],
  ["help about nothing there is", ["help", "lss"], 'found "lss"', "did you mean oci-unpack help ls?"],
  ["no directory", ["alpine"], "DIRECTORY is missing", "oci-unpack alpine ./rootfs"],
  ["an empty directory", ["alpine", ""], "DIRECTORY is missing", "./rootfs"],
  ["an argument too many", ["alpine", "a", "b c"], 'unexpected argument "b c"', "quote"],
  ["an unknown option", ["--frobnicate", "i", "d"], 'unknown option "--frobnicate"', "--help"],
  ["a misspelt option", ["--platfrom=x", "i", "d"], 'unknown option "--platfrom"', "did you mean --platform?"],
  ["an unknown letter", ["-qz", "i", "d"], 'unknown option "-z"', "--help"],
  ["an inherited name", ["--constructor", "i", "d"], 'unknown option "--constructor"', "--help"],
  ["a forgotten value", ["i", "d", "--platform"], "--platform needs a value", "--help"],
  ["an option where a value belongs", ["--platform", "--json", "i", "d"], "--platform needs a value", "--help"],
  ["an empty value", ["--owner=", "i", "d"], "--owner needs a value", "--help"],
  ["a value for a switch", ["--json=yes", "i", "d"], '--json takes no value, found "yes"', "write --json alone"],
  [
    "an unknown word",
    ["--sandbox", "none", "i", "d"],
    '--sandbox is one of require, prefer, off, found "none"',
    "--help",
  ],
  ["a misspelt word", ["--devices=crate", "i", "d"], 'found "crate"', "did you mean --devices create?"],
  ["two platforms", ["-p", "linux/arm64", "--arch", "arm", "i", "d"], "--platform and --arch", "OS/ARCH"],
  ["an architecture in too many parts", ["--arch", "linux/arm/v7", "i", "d"], 'found "linux/arm/v7"', "arm/v7"],
  ["quiet and verbose at once", ["-qv", "i", "d"], "--quiet and --verbose contradict", "leave one out"],
  ["two sandboxes", ["--sandbox=off", "--can-skip-sandbox", "i", "d"], "contradict each other", "prefer"],
  ["a user without password", ["-u", "me", "i", "d"], "without --password-stdin", "pipe"],
  ["a map of users without numbers", ["--uid-map=root:me", "i", "d"], 'found "root:me"', "--uid-map 0:100000:65536"],
  ["a key without certificate", ["--tls-key", "k.pem", "i", "d"], "no --tls-cert", "--tls-cert names"],
  [
    "more connections than a host gets",
    ["--connections-per-blob=17", "i", "d"],
    'found "17"',
    "--connections-per-blob 4",
  ],
  ["no connection at all", ["--connections-per-blob=0", "i", "d"], 'found "0"', "--connections-per-blob 4"],
  ["a short name that is nobody's", ["--short-names=quay", "i", "d"], 'found "quay"', "--help"],
  ["a login without registry", ["login"], "REGISTRY is missing", "login ghcr.io"],
  ["a login at two registries", ["login", "a.io", "b.io"], 'unexpected argument "b.io"', "login ghcr.io"],
  ["a login with a password for nobody", ["login", "--password-stdin", "a.io"], "without --username", "-u NAME"],
  ["a logout without registry", ["logout"], "REGISTRY is missing", "logout ghcr.io"],
  ["a password without user", ["--password-stdin", "i", "d"], "without --username", "add -u NAME"],
  [
    "docker's way to give a password",
    ["login", "-u", "ada", "-p", "x", "a.io"],
    "is seen by every user",
    "--password-stdin",
  ],
  ["a password after an option", ["login", "--password=x", "a.io"], "is seen by every user", "--password-stdin"],
  ["the beginning of an option", ["--exp", "i", "d"], 'unknown option "--exp"', "did you mean --explain?"],
  ["an option's former name", ["--manifest=x", "i", "d"], 'unknown option "--manifest"', "did you mean --mtree?"],
  ["an unknown option for a login", ["login", "--foo", "a.io"], '"--foo"', "oci-unpack login --help all lists"],
  ["a limit without a value", ["--limit", "alpine", "d"], 'found "alpine"', "--limit totalBytes=10G"],
  ["a size that is none", ["--output=ext4", "--size=2Q", "-o", "f", "i"], 'found "2Q"', "--size 2G"],
  ["a size for what has none", ["--size=2G", "i", "d"], "goes with --output ext4", "leave --size out"],
  ["nothing to list", ["ls"], "cannot list files: IMAGE is missing", "oci-unpack ls IMAGE [PATH]"],
  ["nothing to show", ["cat", "i"], "cannot show a file: PATH is missing", "oci-unpack cat IMAGE PATH"],
  [
    "a size for a store that is only listed",
    ["store", "list", "--store=s", "--max-size=1G"],
    "removes nothing",
    "prune",
  ],
];

for (const [title, args, message, hint] of refused) {
  test(`a command line with ${title} is refused with a next step`, () => {
    const error = usageErrorOf(() => parseCommand(args, {}));
    assert.ok(error.message.includes(message), error.message);
    const told =
      errorReportOf(
        error,
        commandNames.find((word) => word === args[0]),
      ).hint ?? "";
    assert.ok(told.includes(hint), told);
  });
}

test("a SOURCE_DATE_EPOCH that is not a number of seconds is refused", () => {
  for (const text of ["now", "1.5", "0x10", "99999999999999999999"]) {
    const error = usageErrorOf(() => parseCommand(["i", "d"], { SOURCE_DATE_EPOCH: text }));
    assert.ok(error.message.includes(`found "${text}"`));
  }
});

test("login and logout name a registry", () => {
  assert.deepEqual(parseCommand(["login", "-u", "ada", "--password-stdin", "ghcr.io", "--authfile", "a.json"], {}), {
    name: "login",
    registry: "ghcr.io",
    username: "ada",
    passwordFromInput: true,
    authFile: "a.json",
    isVerified: true,
    isExplained: false,
    connection: { environment: { authFile: "a.json" }, registry: {} },
  });
  assert.deepEqual(parseCommand(["logout", "ghcr.io"], {}), {
    name: "logout",
    registry: "ghcr.io",
    authFile: undefined,
  });
});

test("the store is named by an option, or else by the environment", () => {
  const env = { OCI_UNPACK_STORE: "/var/cache/images" };
  const storeOf = (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const { store, isOffline } = parseCommand([...args, "i", "d"], env) as UnpackCommand;
    return [store, isOffline];
  };
  assert.deepEqual(storeOf([], env), ["/var/cache/images", false]);
  assert.deepEqual(storeOf(["--store=here", "--offline"], env), ["here", true]);
  assert.deepEqual(storeOf([], { OCI_UNPACK_STORE: "" }), [undefined, false]);
  assert.match(usageErrorOf(() => storeOf(["--offline"], {})).message, /there is no store/);
  assert.equal((parseCommand(["--keep", "i", "d"], env) as UnpackCommand).options.keep, true);
  assert.deepEqual(parseCommand(["store", "prune", "--max-size", "10G", "--json"], env), {
    name: "store",
    action: "prune",
    directory: "/var/cache/images",
    maxBytes: 10 * 1024 ** 3,
    forgetAbsent: false,
    limits: [],
    json: true,
    verbosity: "normal",
  });
});

test("what an image becomes, and where, is read together", () => {
  const outputOf = (...args: readonly string[]) => {
    const { output, directory } = unpackOf(...args, "image");
    return [output, directory];
  };
  assert.deepEqual(outputOf("--output", "layout", "-o", "dir"), [
    { form: "layout", allPlatforms: false, signatures: false },
    "dir",
  ]);
  assert.deepEqual(outputOf("--output=oci-archive", "-o", "-", "--all-platforms"), [
    { form: "oci-archive", allPlatforms: true, signatures: false },
    "-",
  ]);
  const overlay = unpackOf("--output", "overlay", "--overlay", "userxattr", "--mount", "/mnt", "image", "dir");
  assert.deepEqual(overlay.output, { form: "overlay", kind: "userxattr", mount: "/mnt" });
});

test("an output that makes no sense is refused", () => {
  for (const args of [
    ["--output", "floppy", "image", "dir"],
    ["--output", "layout", "image"],
    ["--output", "layout", "-o", "-", "image"],
    ["--output", "oci-archive", "-o", "file", "image", "dir"],
    ["--output", "oci-archive", "-o", "-", "--json", "image"],
    ["--output", "overlay", "-o", "file", "image", "dir"],
    ["--output", "overlay", "--bundle", "image", "dir"],
    ["--overlay", "userxattr", "image", "dir"],
    ["--mount", "/mnt", "image", "dir"],
    ["--all-platforms", "image", "dir"],
    ["-o", "file", "image", "dir"],
  ]) {
    usageErrorOf(() => parseCommand(args, {}));
  }
});

test("a store's command line that makes no sense is refused", () => {
  for (const args of [["list"], ["--store=x"], ["clean", "--store=x"], ["list", "more", "--store=x"]]) {
    usageErrorOf(() => parseCommand(["store", ...args], {}));
  }
  for (const size of ["10X", "much", "-1"]) {
    usageErrorOf(() => parseCommand(["store", "prune", `--max-size=${size}`, "--store=x"], {}));
  }
  usageErrorOf(() => parseCommand(["store", "list", "--max-size=1G", "--store=x"], {}));
  usageErrorOf(() => parseCommand(["store", "verify", "--forget-absent", "--store=x"], {}));
});

test("unpacking may be named, as unpack or pull, and the version asked for by a word", () => {
  const expected = unpackOf("--json", "alpine", "dir");
  assert.deepEqual(unpackOf("unpack", "alpine", "dir", "--json"), expected);
  assert.deepEqual(unpackOf("pull", "alpine", "dir", "--json"), expected);
  assert.deepEqual(parseCommand(["version"], {}), { name: "version" });
});

test("no well-known image is taken for a misspelt command", () => {
  const official =
    `adminer aerospike alpine api arangodb archlinux backdrop bash bonita buildpack busybox caddy cassandra
    centos chronograf cirros clearlinux clefos clickhouse clojure composer convertigo couchbase couchdb crate dart debian
    docker drupal eclipse elasticsearch elixir emqx erlang fedora flink fluentd friendica gazebo gcc geonetwork ghost
    golang gradle groovy haproxy haskell haxe hitch httpd hylang influxdb irssi jetty joomla jruby julia kapacitor kibana
    kong krakend lightstreamer liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo monica mono mysql
    nats neo4j neurodebian nextcloud nginx node notary odoo open openjdk oraclelinux orientdb percona perl photon php
    plone postfixadmin postgres pypy python rabbitmq rakudo redis redmine registry rethinkdb ros ruby rust sapmachine
    satosa scratch silverpeas solr sonarqube spark spiped storm swift swipl telegraf teamspeak tomcat tomee traefik ubuntu
    unit varnish vault websphere wordpress xwiki yourls znc zookeeper`.split(/\s+/);
  for (const image of official) assert.equal(unpackOf(image, "dir").image, image);
});

test("an image may be called like a command", () => {
  assert.equal(unpackOf("--", "login", "dir").image, "login");
  assert.equal(unpackOf("docker.io/library/login", "dir").image, "docker.io/library/login");
});

test("a wish for JSON is seen even where the rest cannot be read", () => {
  assert.equal(asksForJson(["--json", "--frobnicate"]), true);
  assert.equal(asksForJson(["--frobnicate", "--", "--json"]), false);
});

function unpackOf(...args: readonly string[]): UnpackCommand {
  const command = parseCommand(args, {});
  assert.equal(command.name, "unpack");
  return command as UnpackCommand;
}

function usageErrorOf(action: () => unknown): UsageError {
  try {
    action();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  return assert.fail("nothing was refused");
}

test("threads are started early for what looks like an unpacking or a sync, and for nothing else", () => {
  for (const line of [
    ...["alpine dir", "unpack alpine dir", "-q --platform linux/arm64 alpine dir", "pull alpine dir"],
    ...["sync dir alpine", "sync --keep-path etc/* dir alpine"],
  ]) {
    assert.ok(guess(line.split(" ")).isUsual, line);
  }
  for (const line of [
    ...["alpine", "--help", "unpack --help", "help unpack", "ls alpine /etc", "verify dir alpine", "sync"],
    ...["--output tar alpine -", "--output=ext4 alpine disk", "-o disk alpine", "--clone copy alpine dir"],
    ...["--limit help", "-name alpine -digest sha256:1", "--keep alpine dir", "completion bash"],
  ]) {
    assert.equal(guess(line.split(" ")).isUsual, false, line);
  }
});

test("what syncs has threads of its own", () => {
  const threadsOf = (line: string) => guess(line.split(" ")).threads.map(([name]) => name);
  for (const line of ["sync dir alpine", "sync --trust-times dir alpine"])
    assert.deepEqual(threadsOf(line), ["sync-worker"], line);
  for (const line of ["sync", "sync --help", "sync --limit help", "help sync", "verify dir alpine", "ls sync"])
    assert.deepEqual(threadsOf(line), [], line);
});
