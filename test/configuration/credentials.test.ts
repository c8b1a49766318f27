import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { type TestContext, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import type { OciUnpackEvent } from "../../src/base/events.ts";
import { dockerCredentials } from "../../src/configuration/credentials.ts";
import { auth, type TestMachine, type TestMachineOptions, testMachine } from "./machine.ts";

/** Asks for one repository and tells the user (or what else there is of a credential) and the warnings. */
async function asked(machine: TestMachine, host: string, path = "ns/image", authFile?: string) {
  const warnings: string[] = [];
  const onEvent = (event: OciUnpackEvent) => {
    if (event.type === "warning") warnings.push(`${event.code} ${event.message}`);
  };
  const credentials = dockerCredentials({ ...machine, ...(authFile !== undefined && { authFile }) });
  return { credential: await credentials(host, path, { onEvent }), warnings };
}

async function userOn(machine: TestMachine, host: string, path?: string): Promise<string | undefined> {
  const { credential } = await asked(machine, host, path);
  return credential && "username" in credential ? credential.username : undefined;
}

async function withConfig(
  context: TestContext,
  config: unknown,
  options: TestMachineOptions = {},
): Promise<TestMachine> {
  return testMachine(context, { ...options, files: { "home/.docker/config.json": config } });
}

test("R-24: files are asked in the documented order, and the first that knows the registry wins", async (context) => {
  const places = [
    "option.json",
    "registry.json",
    "docker/config.json",
    "run/containers/auth.json",
    "config/containers/auth.json",
    "home/.dockercfg",
  ];
  const content = (place: string) =>
    place.endsWith("cfg") ? { "r.example": auth(place, "p") } : { auths: { "r.example": auth(place, "p") } };
  const machine = await testMachine(context, {
    env: { REGISTRY_AUTH_FILE: "@/registry.json", DOCKER_CONFIG: "@/docker", XDG_CONFIG_HOME: "@/config" },
    files: Object.fromEntries(places.map((place) => [place, content(place)])),
  });

  for (const place of places) {
    const { credential } = await asked(
      machine,
      "r.example",
      "a",
      place === "option.json" ? machine.path(place) : undefined,
    );
    assert.deepEqual(credential, {
      username: place,
      password: "p",
      origin: `${machine.path(place)}, auths["r.example"]`,
    });
    await rm(machine.path(place));
  }
  assert.equal(await userOn(machine, "r.example"), undefined);
});

test("R-24: the trail of decisions names each file that was looked for, in order", async (context) => {
  const machine = await withConfig(context, { auths: { "r.example": auth("me", "hush") } });
  const trail: string[] = [];
  await dockerCredentials(machine)("r.example", "a", {
    onEvent: (event) => {
      if (event.type === "decision") trail.push(`${event.topic}: ${event.message.replace(machine.root, "")}`);
    },
  });
  assert.deepEqual(trail, [
    "configuration: /run/containers/auth.json is not there",
    "configuration: /home/.config/containers/auth.json is not there",
    "configuration: /home/.docker/config.json is read",
  ]);
});

test("R-24: without variables, podman's file in ~/.config comes before docker's in ~/.docker", async (context) => {
  const machine = await testMachine(context, {
    files: {
      "home/.config/containers/auth.json": { auths: { "both.example": auth("podman", "p") } },
      "home/.docker/config.json": {
        auths: { "both.example": auth("docker", "p"), "docker.example": auth("docker", "p") },
      },
    },
  });
  assert.equal(await userOn(machine, "both.example"), "podman");
  assert.equal(await userOn(machine, "docker.example"), "docker");
});

test("R-24: $DOCKER_CONFIG stands instead of ~/.docker", async (context) => {
  const machine = await testMachine(context, {
    env: { DOCKER_CONFIG: "@/elsewhere" },
    files: { "home/.docker/config.json": { auths: { "r.example": auth("old", "p") } } },
  });
  assert.equal(await userOn(machine, "r.example"), undefined);
});

test("R-24: the most specific key wins, whole path components only", async (context) => {
  const machine = await withConfig(context, {
    auths: {
      "r.example": auth("host", "p"),
      "r.example/ns": auth("namespace", "p"),
      "r.example/ns/image": auth("repository", "p"),
    },
  });
  assert.equal(await userOn(machine, "r.example", "ns/image"), "repository");
  assert.equal(await userOn(machine, "r.example", "ns/image2"), "namespace");
  assert.equal(await userOn(machine, "r.example", "ns2/image"), "host");
  assert.equal(await userOn(machine, "r.example:5000", "ns/image"), undefined);
  assert.equal(await userOn(machine, "other-r.example", "ns/image"), undefined);
});

test("R-3: Docker Hub's credentials are found under each of its names", async (context) => {
  for (const key of [
    "docker.io",
    "docker.io/library",
    "https://index.docker.io/v1/",
    "index.docker.io",
    "registry-1.docker.io",
  ]) {
    const machine = await withConfig(context, { auths: { [key]: auth("me", "p") } });
    assert.equal(await userOn(machine, "docker.io", "library/debian"), "me", key);
  }
});

test("R-24: keys that old clients wrote as URLs are understood", async (context) => {
  const machine = await withConfig(context, {
    auths: { "https://R.example/v1/": auth("me", "p"), "http://plain:5000": auth("you", "p") },
  });
  assert.equal(await userOn(machine, "r.example"), "me");
  assert.equal(await userOn(machine, "plain:5000"), "you");
});

test("R-25: base64 may lack its padding, a password may hold colons, zeros at its end are dropped", async (context) => {
  const encoded = Buffer.from("me:pass:word\0\0").toString("base64").replace(/=+$/, "");
  const machine = await withConfig(context, { auths: { "r.example": { auth: encoded } } });
  const { credential } = await asked(machine, "r.example");
  assert.ok(credential !== undefined && "password" in credential);
  assert.equal(credential.password, "pass:word");
});

test("R-25: identity tokens and registry tokens are told from passwords", async (context) => {
  const machine = await withConfig(context, {
    auths: {
      "acr.example": { ...auth("00000000-0000-0000-0000-000000000000", ""), identitytoken: "refresh" },
      "token.example": auth("<token>", "refresh"),
      "direct.example": { registrytoken: "bearer" },
      "plain.example": { username: "me", password: "p" },
    },
  });
  const found = async (host: string) => {
    const { origin: _, ...credential } = (await asked(machine, host)).credential ?? {};
    return credential;
  };
  assert.deepEqual(await found("acr.example"), {
    identityToken: "refresh",
    username: "00000000-0000-0000-0000-000000000000",
  });
  assert.deepEqual(await found("token.example"), { identityToken: "refresh" });
  assert.deepEqual(await found("direct.example"), { registryToken: "bearer" });
  assert.deepEqual(await found("plain.example"), { username: "me", password: "p" });
});

test("R-25: a malformed entry is a warning that shows its key and not its content, and the next key is tried", async (context) => {
  const machine = await withConfig(context, {
    auths: { "r.example/ns": { auth: "!hush!" }, "r.example": auth("me", "p") },
  });
  const { credential, warnings } = await asked(machine, "r.example");
  assert.ok(credential !== undefined && "username" in credential && credential.username === "me");
  assert.deepEqual(warnings, [
    `CONFIGURATION cannot use "${machine.path("home/.docker/config.json")}": line 1: auths["r.example/ns"] is malformed`,
  ]);
});

test("R-25: credHelpers beat credsStore, and both beat auths", async (context) => {
  const config = {
    credHelpers: { "one.example": "one" },
    credsStore: "all",
    auths: { "one.example": auth("file", "p"), "two.example": auth("file", "p"), "three.example": auth("file", "p") },
  };
  const machine = await withConfig(context, config, {
    programs: {
      "docker-credential-one": `echo '{"Username":"helper","Secret":"s"}'`,
      "docker-credential-all": `read server; [ "$server" = three.example ] && { echo 'credentials not found in native keychain'; exit 1; }; echo '{"Username":"store","Secret":"s"}'`,
    },
  });
  assert.equal(await userOn(machine, "one.example"), "helper");
  assert.equal(await userOn(machine, "two.example"), "store");
  assert.equal(await userOn(machine, "three.example"), "file");
});

test("R-25: an empty entry means that a helper keeps the secret", async (context) => {
  const machine = await withConfig(
    context,
    { credsStore: "all", auths: { "r.example": {} } },
    { programs: { "docker-credential-all": `echo '{"Username":"store","Secret":"s"}'` } },
  );
  assert.equal(await userOn(machine, "r.example"), "store");
});

test("R-26: a helper gets the verb as argument and the bare server on standard input", async (context) => {
  const machine = await withConfig(
    context,
    { credHelpers: { "r.example:5000": "fake" } },
    {
      programs: { "docker-credential-fake": `printf '{"ServerURL":"x","Username":"%s","Secret":"%s"}' "$*" "$(cat)"` },
    },
  );
  const { credential } = await asked(machine, "r.example:5000", "ns/image");
  assert.deepEqual(credential, {
    username: "get",
    password: "r.example:5000",
    origin: `${machine.path("home/.docker/config.json")}, credHelpers["r.example:5000"]: docker-credential-fake`,
  });
});

test("R-26: a helper's user <token> marks an identity token", async (context) => {
  const machine = await withConfig(
    context,
    { credsStore: "fake" },
    { programs: { "docker-credential-fake": `echo '{"Username":"<token>","Secret":"refresh"}'` } },
  );
  const { credential } = await asked(machine, "r.example");
  assert.ok(credential !== undefined && "identityToken" in credential);
  assert.equal(credential.identityToken, "refresh");
});

test("R-26: a helper is asked for Docker Hub under docker's key and under podman's", async (context) => {
  const machine = await withConfig(
    context,
    { credsStore: "fake" },
    {
      programs: {
        "docker-credential-fake": `read server; [ "$server" = docker.io ] && { echo '{"Username":"me","Secret":"s"}'; exit; }; echo 'credentials not found in native keychain'; exit 1`,
      },
    },
  );
  assert.equal(await userOn(machine, "docker.io", "library/debian"), "me");
});

test("R-26, security 16: a helper that fails, or whose name is a path, is a warning without its output, and the search goes on", async (context) => {
  const scripts = {
    status: "echo hush; echo hush >&2; exit 3",
    garbage: "echo '{\"Secret\": hush'",
    shape: "echo '[\"hush\"]'",
    endless: "while :; do echo hushhushhushhushhushhushhushhush; done",
    "x/../evil": 'echo \'{"Username":"evil","Secret":"hush"}\'',
    missing: "",
  };
  const { "x/../evil": evil, missing: _, ...installed } = scripts;
  const programs = Object.fromEntries([
    ["evil", evil],
    ...Object.entries(installed).map(([name, script]) => [`docker-credential-${name}`, script]),
  ]);
  for (const name of Object.keys(scripts)) {
    const machine = await withConfig(
      context,
      { credsStore: name, auths: { "r.example": auth("file", "p") } },
      { programs },
    );
    const { credential, warnings } = await asked(machine, "r.example");
    assert.ok(credential !== undefined && "username" in credential && credential.username === "file", name);
    assert.equal(warnings.length, 1, name);
    assert.match(warnings[0] ?? "", /^CONFIGURATION cannot use the credential helper "docker-credential-/);
    assert.doesNotMatch(warnings[0] ?? "", /hush/);
  }
});

test("R-26, security 16: a helper is never taken from the current directory", async (context) => {
  const machine = await withConfig(
    context,
    { credsStore: "fake" },
    { programs: { "docker-credential-fake": `echo '{"Username":"me","Secret":"s"}'` }, env: { PATH: ".:::bin" } },
  );
  const before = process.cwd();
  process.chdir(machine.path("bin"));
  try {
    const { credential, warnings } = await asked(machine, "r.example");
    assert.equal(credential, undefined);
    assert.deepEqual(warnings, [
      `CONFIGURATION cannot use the credential helper "docker-credential-fake": it is not on PATH`,
    ]);
  } finally {
    process.chdir(before);
  }
});

test("R-26: a helper that does not answer in time is ended, even where what it started lives on", {
  timeout: 120_000,
}, async (context) => {
  const machine = await withConfig(
    context,
    { credsStore: "hang" },
    { programs: { "docker-credential-hang": '(while [ -e "$0" ]; do sleep 1; done) & wait' } }, // to the test's end
  );
  const events: OciUnpackEvent[] = [];
  const credentials = dockerCredentials({ ...machine, helperDeadlineMilliseconds: 200 });
  assert.equal(await credentials("r.example", "a", { onEvent: (event) => events.push(event) }), undefined);
  const warnings = events.filter((event) => event.type === "warning");
  assert.deepEqual(warnings, [
    {
      type: "warning",
      code: "CONFIGURATION",
      message: 'cannot use the credential helper "docker-credential-hang": it did not answer within 0.2 seconds',
    },
  ]);
});

test("R-64: aborting ends a helper that hangs, with the signal's own reason", async (context) => {
  const machine = await withConfig(
    context,
    { credsStore: "hang" },
    { programs: { "docker-credential-hang": `echo $$ > "$PIDFILE"; exec sleep 60` }, env: { PIDFILE: "@/pid" } },
  );
  const stop = new AbortController();
  const reason = new Error("enough");
  const answer = dockerCredentials(machine)("r.example", "a", { signal: stop.signal });
  let pid = 0;
  while (!(pid > 0)) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    pid = await machine.read("pid").then(Number, () => 0);
  }
  stop.abort(reason);
  await assert.rejects(answer, (error) => error === reason);
  assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
});

test("R-24: a file that cannot be used is a warning without its content; one named by option is an error", async (context) => {
  const machine = await testMachine(context, {
    files: { "home/.docker/config.json": `{"auths": {"r.example": {"auth": hush}}}`, "option.json": "[]" },
  });
  const { credential, warnings } = await asked(machine, "r.example");
  assert.equal(credential, undefined);
  assert.deepEqual(warnings, [
    `CONFIGURATION cannot use "${machine.path("home/.docker/config.json")}": line 1 is not JSON`,
  ]);

  await assert.rejects(asked(machine, "r.example", "a", machine.path("option.json")), (error) =>
    isOciUnpackError(error, "CONFIGURATION"),
  );
  await assert.rejects(asked(machine, "r.example", "a", machine.path("absent.json")), (error) =>
    isOciUnpackError(error, "CONFIGURATION"),
  );
});

test("R-24: a file too large to be real is not read to its end", async (context) => {
  const machine = await testMachine(context, { env: { REGISTRY_AUTH_FILE: "/dev/zero" } });
  const { warnings } = await asked(machine, "r.example");
  assert.deepEqual(warnings, [`CONFIGURATION cannot read "/dev/zero": it has more than 1048576 bytes`]);
});

test("R-24: a workflow's GITHUB_TOKEN opens ghcr.io, and only there and only in a workflow", async (context) => {
  const env = { GITHUB_TOKEN: "s", GITHUB_ACTOR: "octocat" };
  const workflow = await testMachine(context, { env: { ...env, GITHUB_ACTIONS: "true" } });
  assert.equal(await userOn(workflow, "ghcr.io"), "octocat");
  assert.equal(await userOn(workflow, "docker.io"), undefined);
  assert.equal(await userOn(await testMachine(context, { env }), "ghcr.io"), undefined);
});

test("R-24: names that every object has are no credentials", async (context) => {
  const machine = await withConfig(context, { auths: {}, credHelpers: {} });
  for (const host of ["constructor", "__proto__", "toString"]) assert.equal(await userOn(machine, host), undefined);
});
