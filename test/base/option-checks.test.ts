import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { rootCertificates } from "node:tls";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { signal } from "../../src/base/option-checks.ts";
import { environmentKinds } from "../../src/configuration/environment.ts";
import { diffKinds } from "../../src/diff/options.ts";
import { exportKinds } from "../../src/export/options.ts";
import * as library from "../../src/index.ts";
import {
  copy,
  dockerCredentials,
  engineSource,
  exportRootfs,
  login,
  logout,
  OciUnpackError,
  registryFromEnvironment,
  registrySource,
  sourceFor,
  store,
  storedNameFor,
  storedSource,
  unpack,
  unpackOverlay,
  verify,
} from "../../src/index.ts";
import { lookKinds } from "../../src/look/with-image-reader.ts";
import { unpackKinds } from "../../src/operation/options.ts";
import { registryKinds } from "../../src/registry/options.ts";
import { syncKinds } from "../../src/sync/options.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { scratch } from "../support/scratch.ts";
import { file, tar } from "../support/tar-builder.ts";
import { third } from "../support/thorough.ts";

/** As JavaScript calls: with anything. */
type Untyped = (...given: unknown[]) => unknown;

const name = "oci:/nowhere:x";
const place = "/nowhere/at/all";
/** Nothing can be written there, not even by root: a call that is right in all but one thing must leave nothing. */
const noPlace = "/dev/null";
const machine = { env: { REGISTRY_AUTH_FILE: `${noPlace}/auth.json` }, homeDirectory: noPlace, uid: 1000 };
const user = { username: "ada", password: "hunter2" };
const aSource = { image() {}, async [Symbol.asyncDispose]() {} };
const aStore = { directory: place };

/** A wrong value for an argument or an option, and what is said of it. */
type Wrong = readonly [value: unknown, said: string];

const noText: Wrong = [undefined, "undefined is not a string"];
const noPath: Wrong = [5, "5 is not a path or a file: URL"];

interface Called {
  /** What stands in the call before the options, by name: what it is when it is right, and something wrong. */
  readonly given: Readonly<Record<string, readonly [right: unknown, ...wrong: Wrong]>>;
  /** Where the call takes options: those that have to be given, and values that none may have. */
  readonly options?: { readonly needed?: object; readonly wrong: Readonly<Record<string, Wrong>> };
  readonly call: Untyped;
}

const resolving: Readonly<Record<string, Wrong>> = {
  strict: ["yes", '"yes" is not true or false'],
  signal: [{}, "this object is not an AbortSignal"],
  onEvent: [5, "5 is not a function"],
  limits: [null, "null is not an object"],
  platform: [7, "7 is not a string or an object"],
  source: [{}, "this object is not a source, as `registrySource()` gives one or a promise of one"],
  sandbox: ["maybe", '"maybe" is not one of require, prefer, off'],
};
const applying: Readonly<Record<string, Wrong>> = {
  ...resolving,
  include: ["etc", '"etc" is not a list of strings'],
  devices: ["make", '"make" is not one of skip, create, placeholder, error'],
  sourceDateEpoch: [-1, "-1 is not a whole number from 0 on"],
};
const inPart: Readonly<Record<string, Wrong>> = { partial: ["yes", '"yes" is not true or false'] };
const keeping: Readonly<Record<string, Wrong>> = { keep: ["yes", '"yes" is not true or false'] };
const connecting: Readonly<Record<string, Wrong>> = {
  credentials: ["ada:hunter2", "this string is not a function or an object"],
  tls: ["-----BEGIN PRIVATE KEY-----", "this string is not a function or an object"],
  headers: [{ authorization: 5 }, "this object is not an object of strings, or of lists of strings"],
  plainHttp: ["yes", '"yes" is not true or false or a list of strings'],
  connections: [0, "0 is not a whole number from 1 on"],
  network: [true, "true is not an object"],
};
const ofMachine: Readonly<Record<string, Wrong>> = {
  env: ["PATH=/bin", "this string is not an object of strings"],
  homeDirectory: [5, "5 is not a path or a file: URL"],
  uid: ["root", '"root" is not a whole number from 0 on'],
  systemDirectory: ["", '"" is not a path or a file: URL'],
};
const destination: Called["given"][string] = [place, 5, "5 is not a path, a file: URL or a stream"];
const named = { name: [name, ...noText] } as const;
const directory = { directory: [place, ...noPath] } as const;
const registryAndUser = {
  registry: ["r.example", ...noText],
  user: [user, "ada:hunter2", "this string is not an object"],
} as const;

/** Every function that a program can call. */
const calls: Readonly<Record<string, Called>> = {
  unpack: {
    call: library.unpack as Untyped,
    given: { ...named, ...directory },
    options: { wrong: { ...applying, ...keeping, ...inPart } },
  },
  unpackOverlay: {
    call: library.unpackOverlay as Untyped,
    given: { ...named, ...directory },
    options: {
      wrong: { ...resolving, store: [{}, "this object is not a store, as `store()` gives one"], mount: noPath },
    },
  },
  unpackArtifact: {
    call: library.unpackArtifact as Untyped,
    given: { ...named, ...directory },
    options: {
      wrong: {
        ...resolving,
        include: ["etc", '"etc" is not a list of strings'],
        sourceDateEpoch: [-1, "-1 is not a whole number from 0 on"],
      },
    },
  },
  exportRootfs: {
    call: library.exportRootfs as Untyped,
    given: { ...named, destination },
    options: { wrong: { ...applying, ...keeping, ...inPart } },
  },
  copy: {
    call: library.copy as Untyped,
    given: { ...named, destination },
    options: { wrong: { ...resolving, form: ["tar", '"tar" is not one of layout, oci-archive, docker-archive'] } },
  },
  history: {
    call: library.history as Untyped,
    given: { ...named, path: ["/", 5, "5 is not a string"] },
    options: { wrong: { ...resolving, ...inPart, keepDirlinks: ["yes", '"yes" is not true or false'] } },
  },
  verify: { call: library.verify as Untyped, given: { ...directory, ...named }, options: { wrong: applying } },
  sync: {
    call: library.sync as Untyped,
    given: { ...named, ...directory },
    options: {
      wrong: {
        ...applying,
        dryRun: ["yes", '"yes" is not true or false'],
        keepPaths: ["etc", '"etc" is not a list of strings'],
        trustTimes: [1, "1 is not true or false"],
        force: ["yes", '"yes" is not true or false'],
      },
    },
  },
  diff: {
    call: library.diff as Untyped,
    given: { name1: [name, ...noText], name2: [name, ...noText] },
    options: {
      wrong: {
        ...resolving,
        ...inPart,
        path: [5, "5 is not a string"],
        secondPlatform: [7, "7 is not a string or an object"],
        ignore: [
          ["sise"],
          "this list is not a list of words from type, mode, owner, time, size, content, target, device, xattrs, links",
        ],
      },
    },
  },
  signatures: {
    call: library.signatures as Untyped,
    given: named,
    options: { wrong: { ...resolving, allPlatforms: [1, "1 is not true or false"] } },
  },
  list: {
    call: library.list as Untyped,
    given: { ...named, path: ["/", 5, "5 is not a string"] },
    options: {
      wrong: {
        ...resolving,
        ...inPart,
        recursive: [1, "1 is not true or false"],
        digest: [1, "1 is not true or false"],
      },
    },
  },
  read: {
    call: library.read as Untyped,
    given: {
      ...named,
      path: ["/", ...noText],
    },
    options: { wrong: { ...resolving, ...inPart } },
  },
  inspect: { call: library.inspect as Untyped, given: named, options: { wrong: resolving } },
  resolve: { call: library.resolve as Untyped, given: named, options: { wrong: resolving } },
  registrySource: { call: library.registrySource as Untyped, given: {}, options: { wrong: connecting } },
  "registrySource().image": { call: registrySource().image as Untyped, given: named },
  sourceFor: {
    call: library.sourceFor as Untyped,
    given: named,
    options: { wrong: { ...connecting, engineSocket: noPath } },
  },
  localSource: {
    call: library.localSource as Untyped,
    given: {},
    options: { wrong: { standardInput: ["-", '"-" is not a stream, or another async iterable of bytes'] } },
  },
  "localSource().image": { call: library.localSource().image as Untyped, given: named },
  engineSource: {
    call: library.engineSource as Untyped,
    given: { socket: [place, ...noPath] },
    options: { wrong: { sandbox: ["on", '"on" is not one of require, prefer, off'] } },
  },
  "engineSource().image": { call: engineSource().image as Untyped, given: named },
  store: { call: library.store as Untyped, given: directory },
  "store().list": {
    call: store(place).list as Untyped,
    given: {},
    options: { wrong: { signal: [{}, "this object is not an AbortSignal"] } },
  },
  "store().verify": {
    call: store(place).verify as Untyped,
    given: {},
    options: { wrong: { signal: [{}, "this object is not an AbortSignal"] } },
  },
  "store().prune": {
    call: store(place).prune as Untyped,
    given: {},
    options: { wrong: { maxBytes: ["2G", '"2G" is not a whole number from 0 on'] } },
  },
  storedSource: {
    call: library.storedSource as Untyped,
    given: {
      source: [aSource, {}, "this object is not a source, as `registrySource()` gives one"],
      store: [aStore, place, `"${place}" is not a store, as \`store()\` gives one`],
    },
    options: { wrong: { offline: ["no", '"no" is not true or false'] } },
  },
  storedNameFor: {
    call: library.storedNameFor as Untyped,
    given: { ...directory, store: [aStore, {}, "this object is not a store, as `store()` gives one"] },
  },
  dockerCredentials: {
    call: library.dockerCredentials as Untyped,
    given: {},
    options: { needed: machine, wrong: { ...ofMachine, authFile: noPath } },
  },
  engineSocketFromEnvironment: {
    call: library.engineSocketFromEnvironment as Untyped,
    given: {},
    options: { needed: machine, wrong: ofMachine },
  },
  sourceFromEnvironment: {
    call: library.sourceFromEnvironment as Untyped,
    given: named,
    options: {
      needed: machine,
      wrong: {
        ...ofMachine,
        authFile: noPath,
        credentials: connecting.credentials ?? assert.fail(),
        network: connecting.network ?? assert.fail(),
        offline: ["no", '"no" is not true or false'],
        store: [5, "5 is not a store, as `store()` gives one or a path or a file: URL"],
      },
    },
  },
  machinePolicy: {
    call: library.machinePolicy as Untyped,
    given: {},
    options: { needed: machine, wrong: ofMachine },
  },
  registryFromEnvironment: {
    call: library.registryFromEnvironment as Untyped,
    given: {},
    options: {
      needed: machine,
      wrong: {
        ...ofMachine,
        authFile: noPath,
        hostsDirectory: noPath,
        tlsCa: ["ca.pem", '"ca.pem" is not a list of paths or file: URLs'],
        shortNames: ["both", '"both" is not one of docker, podman'],
      },
    },
  },
  login: {
    call: library.login as Untyped,
    given: registryAndUser,
    options: { needed: machine, wrong: { ...ofMachine, authFile: noPath } },
  },
  logout: {
    call: library.logout as Untyped,
    given: { registry: ["r.example", ...noText] },
    options: { needed: machine, wrong: { ...ofMachine, authFile: noPath } },
  },
  verifyLogin: { call: library.verifyLogin as Untyped, given: registryAndUser, options: { wrong: connecting } },
  parsePlatform: { call: library.parsePlatform as Untyped, given: { text: ["linux/arm64", 5, "5 is not a string"] } },
  formatPlatform: {
    call: library.formatPlatform as Untyped,
    given: { platform: [{ os: "linux", architecture: "arm64" }, "linux/arm64", '"linux/arm64" is not an object'] },
  },
  parseReference: { call: library.parseReference as Untyped, given: { text: ["debian", ...noText] } },
  formatReference: {
    call: library.formatReference as Untyped,
    given: { reference: [{ registry: "r.example", path: "a" }, "debian", '"debian" is not an object'] },
  },
};

/** Objects without a member: options, of which none is given. */
const empty: readonly unknown[] = [
  {},
  Object.create(null),
  new Map(),
  new Date(0),
  /x/,
  new URL("https://a/b"),
  Promise.resolve(),
];
/** Values of every other kind, and such that cannot even be looked at. */
const anything: readonly unknown[] = [
  ...[null, true, 0, -1, 0.5, Number.NaN, Number.MAX_VALUE, 5n, "", "\0", `${noPlace}/x`, Symbol("x"), () => {}],
  ...[[], [null], [[]], ["\0"], [{}], { x: 1 }, Uint8Array.of(1)],
  new Proxy({}, { get: thrower, ownKeys: thrower, getPrototypeOf: thrower, getOwnPropertyDescriptor: thrower }),
  revoked({}),
  revoked([]),
  Object.defineProperty({}, "x", { enumerable: true, get: thrower }),
];
/** Whoever gets that signal has checked what it was called with, and does nothing. */
const late = { signal: AbortSignal.abort(new OciUnpackError("TIMEOUT", "not now")) };

function thrower(): never {
  throw new RangeError("not ours");
}

function revoked(value: object): unknown {
  const { proxy, revoke } = Proxy.revocable(value, {});
  revoke();
  return proxy;
}

/** All options of the functions that have most of them. */
const allOptions: Readonly<Record<string, object>> = {
  unpack: unpackKinds,
  exportRootfs: exportKinds,
  sync: syncKinds,
  diff: diffKinds,
  list: lookKinds,
  sourceFor: registryKinds,
  registryFromEnvironment: environmentKinds,
  verifyLogin: { signal },
};
/** What writes into the files of whoever has no variables in the environment. */
const writesFiles = ["login", "logout"];

/** Insists that a call either does something or is refused by an error of ours, whatever it is called with. */
async function survives(call: () => unknown, given: string): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (!library.isOciUnpackError(error)) assert.fail(`${given}: ${error instanceof Error ? error.stack : error}`);
  }
}

/** What asks nothing of its arguments: it tells of anything whether it is an error of ours. */
const takesAnything = ["isOciUnpackError"];

async function refused(call: () => unknown, message: string): Promise<void> {
  await assert.rejects(async () => await call(), { name: "OciUnpackError", code: "INVALID_OPTION", message });
}

test("every function that is exported is called with wrong arguments below", () => {
  const functions = Object.entries(library).filter(
    ([, value]) => typeof value === "function" && !/^class/.test(Function.prototype.toString.call(value)),
  );
  const exported = functions.map(([called]) => called).filter((called) => !takesAnything.includes(called));
  assert.deepEqual(
    exported.sort(),
    Object.keys(calls)
      .filter((called) => !called.includes("."))
      .sort(),
  );
});

describe("what JavaScript calls with is checked", () => {
  for (const [called, { call, given, options }] of Object.entries(calls)) {
    const right = Object.values(given).map(([value]) => value);
    for (const [index, [argument, [, wrong, said]]] of Object.entries(given).entries()) {
      test(`${called} refuses ${argument}: ${said}`, async () => {
        await refused(
          () => call(...right.with(index, wrong), ...(options?.needed ? [options.needed] : [])),
          `cannot use the option ${argument}: ${said}`,
        );
      });
    }
    const known = { ...options?.wrong, ...options?.needed, ...allOptions[called] };
    const base = { ...("signal" in known ? late : {}), ...options?.needed };

    test(`${called} is called with anything, and every error is one of ours`, async () => {
      for (const index of [...right, base].keys()) {
        for (const value of index < right.length ? [...anything, ...empty] : anything) {
          await survives(() => call(...[...right, base].with(index, value)), `${index}: ${inspect(value)}`);
        }
      }
    });
    if (options === undefined) continue;
    const { needed = {}, wrong } = options;
    const callWith = (given: unknown) => call(...right, given);

    test(`${called} is called with anything for an option, and every error is one of ours`, async () => {
      for (const [turn, option] of Object.keys(known).entries()) {
        for (const value of third(writesFiles.includes(called) ? anything : [...anything, ...empty], turn)) {
          await survives(() => callWith({ ...base, [option]: value }), `${option}: ${inspect(value)}`);
        }
      }
    });

    test(`${called} refuses an option that it does not have, and options that are none`, async () => {
      await refused(
        () => callWith({ ...needed, nothing: "x" }),
        "cannot use the option nothing: there is no such option",
      );
      await refused(() => callWith("strict"), 'cannot use the option options: "strict" is not an object');
      await refused(() => callWith(null), "cannot use the option options: null is not an object");
    });

    test(`${called} takes an option that is undefined for one that is not given`, async () => {
      const undefinedOptions = Object.fromEntries(Object.keys(wrong).map((option) => [option, undefined]));
      await assert.doesNotReject(async () => {
        try {
          await callWith({ ...undefinedOptions, ...needed });
        } catch (error) {
          if (/cannot use the option .* undefined/.test(String(error))) throw error;
        }
      });
    });

    for (const [option, [value, said]] of Object.entries(wrong)) {
      test(`${called} refuses ${option}: ${said}`, async () => {
        await refused(() => callWith({ ...needed, [option]: value }), `cannot use the option ${option}: ${said}`);
      });
    }
    for (const option of Object.keys(needed)) {
      if (called === "engineSocketFromEnvironment" && option !== "env") continue;
      test(`${called} misses ${option}`, async () => {
        await assert.rejects(async () => await callWith({ ...needed, [option]: undefined }), {
          code: "INVALID_OPTION",
          message: new RegExp(`^cannot use the option ${option}: undefined is not `),
        });
      });
    }
  }
});

test("what is wrong within an option is told by its whole name, and no secret with it", async () => {
  const unpacking = (options: object) => () => (unpack as Untyped)(name, place, options);
  const connectingBy = (options: object) => () => (registrySource as Untyped)(options);
  for (const [call, message] of [
    [unpacking({ uidMap: [null] }), "uidMap: this list is not a list of objects"],
    [
      unpacking({ uidMap: [{ containerID: 0, hostID: 1 }] }),
      "uidMap[0].size: undefined is not a whole number from 0 on",
    ],
    [unpacking({ bundle: { uid: 1000 } }), "bundle.gid: undefined is not a whole number from 0 on"],
    [unpacking({ bundle: "yes" }), 'bundle: "yes" is not true or false or an object'],
    [unpacking({ platform: { arch: "arm64" } }), "platform.arch: there is no such option"],
    [unpacking({ mtree: new URL("https://a/b") }), 'mtree: "https://a/b" is not a path or a file: URL'],
    [unpacking({ limits: { entires: 5 } }), "limits.entires: there is no such limit"],
    [unpacking({ limits: { entries: -1 } }), "limits.entries: -1 is not a whole number from 0 on"],
    [unpacking({ limits: { parallelDownloads: 0 } }), "limits.parallelDownloads: 0 is not a whole number from 1 on"],
    [connectingBy({ network: { denyPrivate: 1 } }), "network.denyPrivate: 1 is not true or false"],
    [connectingBy({ deadlines: { stall: 1 } }), "deadlines.stall: there is no such option"],
    [connectingBy({ tls: { ca: "-----BEGIN" } }), "tls.ca: this string is not a list of strings"],
    [
      connectingBy({ credentials: { username: "ada", password: 12345 } }),
      "credentials.password: this number is not a string",
    ],
    [
      () => (login as Untyped)("r.example", { username: "ada", password: 12345 }, machine),
      "user.password: this number is not a string",
    ],
    [() => (login as Untyped)("r.example", { username: "ada" }, machine), "user.password: undefined is not a string"],
    [() => (unpack as Untyped)(name, "a\0b"), 'directory: "a\\u0000b" is not a path or a file: URL'],
  ] as const) {
    await refused(call, `cannot use the option ${message}`);
  }
  assert.ok(!existsSync(place));
});

test("nothing is kept where the source has no store, and nothing is made", async () => {
  await using stage = await scratch();
  const place = join(stage.directory, "new");
  const options = { keep: true, platform: "linux/amd64", sandbox: "prefer" } as const;
  const message = "cannot use the option keep: the source keeps nothing in a store";
  await assert.rejects(unpack(name, place, options), { code: "INVALID_OPTION", message });
  await assert.rejects(exportRootfs(name, place, options), { code: "INVALID_OPTION", message });
  assert.deepEqual(await readdir(stage.directory), []);
});

test("directories and files may be URLs", async () => {
  await using stage = await scratch();
  const layout = join(stage.directory, "layout");
  await writeImageLayout(layout, [{ tag: "x", images: [image([tar(file("motd", "hello"))])] }]);
  const url = (path: string) => pathToFileURL(join(stage.directory, path));
  const reference = `oci:${layout}:x`;
  const options = { platform: "linux/amd64", sandbox: "prefer" } as const;
  await unpack(reference, url("a root"), { ...options, mtree: url("mtree") });
  const { differenceCount } = await verify(url("a root"), reference, options);
  const kept = store(url("store"));
  await using source = storedSource(sourceFor(reference, { sandbox: "prefer" }), kept);
  await unpackOverlay(reference, url("overlay"), { ...options, source, store: kept });
  await copy(reference, url("copy"), options);
  await exportRootfs(reference, url("root.tar"), options);
  assert.equal(differenceCount, 0);
  assert.equal(await storedNameFor(url("overlay"), kept), reference);
  const made = ["a root", "copy", "layout", "mtree", "overlay", "root.tar", "store"];
  assert.deepEqual((await readdir(stage.directory)).sort(), made);
});

test("files of configuration may be URLs", async () => {
  await using stage = await scratch();
  const url = (path: string) => pathToFileURL(join(stage.directory, path));
  const here = { env: {}, homeDirectory: url("home"), uid: process.getuid?.() ?? 0, systemDirectory: url("etc") };
  const authFile = url("an auth.json");
  assert.equal(await login("r.example", user, { ...here, authFile }), join(stage.directory, "an auth.json"));
  const { origin, ...found } = (await dockerCredentials({ ...here, authFile })("r.example", "app")) ?? {};
  assert.deepEqual(found, user);
  await mkdir(url("hosts/r.example"), { recursive: true });
  await writeFile(url("hosts/r.example/hosts.toml"), 'server = "https://mirror.example"');
  await writeFile(url("a certificate"), rootCertificates[0] ?? "");
  await writeFile(url("a key"), generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
  const [tlsCert, tlsKey] = [url("a certificate"), url("a key")];
  const options = { ...here, authFile, hostsDirectory: url("hosts"), tlsCa: [tlsCert], tlsCert, tlsKey };
  const { endpoints, tls } = await registryFromEnvironment(options);
  const [endpoint] = (await endpoints?.({ host: "r.example", repository: "app" })) ?? [];
  assert.equal(endpoint?.baseUrl, "https://mirror.example/v2");
  assert.deepEqual(typeof tls === "function" && (await tls("other.example"))?.ca, [rootCertificates[0]]);
  assert.deepEqual(await logout("r.example", { ...here, authFile }), [join(stage.directory, "an auth.json")]);
  await using engine = engineSource(url("docker.sock"));
  assert.equal(engine.image("docker-daemon:app").name, "docker-daemon:app");
});

test("a source of one's own that gives something else is told what it has to give", async () => {
  const blob = async function* () {};
  const giving = (image: unknown) => ({ image: () => image, async [Symbol.asyncDispose]() {} });
  const document = (value: unknown) => giving({ name, blob, manifest: async () => value });
  const anImage = "an image, with `name`, `manifest()` and `blob()`";
  const aDocument = "a document, with `mediaType` and `bytes`";
  for (const [source, message] of [
    [giving(undefined), `source.image(): undefined is not ${anImage}`],
    [giving({ name: 1, blob, manifest: blob }), `source.image(): this object is not ${anImage}`],
    [giving({ name, blob }), `source.image(): this object is not ${anImage}`],
    [document(undefined), `source.image().manifest(): undefined is not ${aDocument}`],
    [document({ mediaType: "", bytes: "{}" }), `source.image().manifest(): this object is not ${aDocument}`],
  ] as const) {
    await refused(() => (library.inspect as Untyped)(name, { source }), `cannot use the option ${message}`);
  }
});

test("a proxy that is no URL is told, and not what it is: it may have a password", async () => {
  await using source = registrySource({ proxy: (() => "http://ada:secret@proxy.example") as never });
  await refused(
    () => (library.inspect as Untyped)("127.0.0.1:1/app", { source }),
    "cannot use the option proxy(): this string is not a URL object, or undefined",
  );
});

test("a promise of something else than a source is refused", async () => {
  await refused(
    () => (library.inspect as Untyped)(name, { source: Promise.resolve({}) }),
    "cannot use the option source: this object is not a source, as `registrySource()` gives one",
  );
});

test("options that nobody awaited are refused", () => {
  const machine = { env: {}, homeDirectory: "/nowhere", uid: 0 };
  const refused = { code: "INVALID_OPTION", hint: "await the promise" };
  assert.throws(() => registrySource(registryFromEnvironment(machine) as never), {
    ...refused,
    message: "cannot use the option options: a promise is not an object",
  });
  assert.throws(() => registrySource({ network: Promise.resolve({ denyPrivate: true }) as never }), {
    ...refused,
    message: "cannot use the option network: a promise is not an object",
  });
});

test("the name that is probably meant is told", async () => {
  for (const [options, hint] of [
    [{ platfrom: "x" }, "did you mean platform?"],
    [{ bundle: { uid: 0, gdi: 0 } }, "did you mean bundle.gid?"],
    [{ limits: { entires: 5 } }, "did you mean limits.entries?"],
    [{ somethingElse: 5 }, undefined],
  ] as const) {
    await assert.rejects(async () => await (unpack as Untyped)(name, place, options), { code: "INVALID_OPTION", hint });
  }
});

test("an option counts that is inherited, and one that cannot be read is refused", async () => {
  await refused(
    () => (unpack as Untyped)(name, place, Object.create({ strict: 5 })),
    "cannot use the option strict: 5 is not true or false",
  );
  await refused(
    () => (unpack as Untyped)(name, place, { platform: new Proxy({}, { ownKeys: thrower }) }),
    "cannot use the option platform: it cannot be read",
  );
});

test("what is demanded counts also where it is inherited, whatever the verb", async () => {
  await using stage = await scratch();
  const layout = join(stage.directory, "layout");
  const sample = image([tar(file("motd", "hello"))]);
  await writeImageLayout(layout, [{ tag: "x", images: [sample] }]);
  const name = `oci:${layout}:x`;
  const refusal = new Error("not this one");
  const refuse = () => {
    throw refusal;
  };
  const place = join(stage.directory, "made");
  for (const [verb, call] of Object.entries<(options: object) => unknown>({
    unpack: (options) => unpack(name, place, options),
    list: (options) => library.list(name, "/", options),
    read: (options) => library.read(name, "/motd", options)[Symbol.asyncIterator]().next(),
    diff: (options) => library.diff(name, name, options)[Symbol.asyncIterator]().next(),
  })) {
    const rejects = (inherited: object, error: object) =>
      assert.rejects(async () => await call(Object.create({ sandbox: "prefer", ...inherited })), error, verb);
    await rejects({ platform: "linux/amd64", approve: refuse }, refusal);
    await rejects({ platform: "plan9/amd64" }, { code: "PLATFORM_NOT_FOUND" });
    const limits = Object.create({ configBytes: 1 });
    await rejects({ platform: "linux/amd64", limits }, { code: "LIMIT_EXCEEDED" });
  }
  assert.deepEqual(await readdir(stage.directory), ["layout"]);
});

test("a source is as strict as it is to be, also where that is inherited", async () => {
  const machine = { env: {}, homeDirectory: noPlace, uid: 0, systemDirectory: noPlace };
  const options = Object.create({ ...machine, network: { denyPrivate: true } });
  for (const source of [
    registrySource(Object.create({ network: { denyPrivate: true } })),
    sourceFor("127.0.0.1:1/app", Object.create({ network: { denyPrivate: true } })),
    await library.sourceFromEnvironment("127.0.0.1:1/app", options),
  ]) {
    await assert.rejects(library.resolve("127.0.0.1:1/app", { source }), { code: "POLICY_DENIED" });
    await source[Symbol.asyncDispose]();
  }
});

test("a wrong limit is told when the source is made, not when an image is asked for", () => {
  const message = /limits\.manifestBytes/;
  assert.throws(() => registrySource({ limits: { manifestBytes: -1 } }), { code: "INVALID_OPTION", message });
});
