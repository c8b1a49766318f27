import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { test } from "node:test";
import { sourceFromEnvironment } from "../../src/configuration/source-from-environment.ts";
import { list } from "../../src/look/list.ts";
import { resolve } from "../../src/look/resolve.ts";
import { store } from "../../src/store/store.ts";
import { image, stored } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { startRegistry } from "../support/registry-double.ts";
import { file, tar } from "../support/tar-builder.ts";
import { auth, testMachine } from "./machine.ts";

const sample = image([tar(file("etc/name", "sample"))]);
const { digest } = sample.manifest.descriptor;
const platform = "linux/amd64";
const broken = { "etc/containers/registries.conf": "this is no TOML" };

test("a registry is asked with the login that this machine's files have", async (context) => {
  await using registry = await startRegistry({ access: { type: "basic", username: "ada", password: "s3cret" } });
  const name = stored(registry, "some/image", sample);
  const auths = { [registry.host]: auth("ada", "s3cret") };
  const machine = await testMachine(context, { files: { "home/.docker/config.json": { auths } } });
  await using source = await sourceFromEnvironment(name, machine);
  assert.equal((await resolve(name, { source, platform })).digest, digest);
});

test("a login that is given goes before those in files", async (context) => {
  await using registry = await startRegistry({ access: { type: "basic", username: "ada", password: "s3cret" } });
  const name = stored(registry, "some/image", sample);
  const auths = { [registry.host]: auth("ada", "another") };
  const machine = await testMachine(context, { files: { "home/.docker/config.json": { auths } } });
  const credentials = { username: "ada", password: "s3cret" };
  await using source = await sourceFromEnvironment(name, { ...machine, credentials });
  assert.equal((await resolve(name, { source, platform })).digest, digest);
});

test("what is wrong with the configuration of registries hinders nobody who asks none", async (context) => {
  const machine = await testMachine(context, { files: broken });
  await writeImageLayout(machine.path("layout"), [{ tag: "1", images: [sample] }]);
  const name = `oci:${machine.path("layout")}:1`;
  await using source = await sourceFromEnvironment(name, machine);
  assert.equal((await resolve(name, { source, platform })).digest, digest);
  await assert.rejects(sourceFromEnvironment("r.example/app", machine), { code: "CONFIGURATION" });
});

test("an engine is asked at the socket that DOCKER_HOST names", async (context) => {
  const machine = await testMachine(context, { files: broken });
  const socket = machine.path("engine.sock");
  const asked: (string | undefined)[] = [];
  const engine = createServer((request: IncomingMessage, response: ServerResponse) => {
    asked.push(request.url);
    response.writeHead(404, { "content-type": "application/json" }).end('{"message":"no such image"}');
  });
  await new Promise<void>((ready) => engine.listen(socket, ready));
  context.after(() => engine.close());
  const options = { ...machine, env: { ...machine.env, DOCKER_HOST: `unix://${socket}` } };
  await using source = await sourceFromEnvironment("docker-daemon:app:1", options);
  await assert.rejects(resolve("docker-daemon:app:1", { source, platform }), { code: "NOT_FOUND" });
  assert.match(asked.join(), /app:1|app%3A1/);
});

test("what has come once is in the store, as an object or by its directory, and enough without a network", async (context) => {
  const machine = await testMachine(context);
  const directory = machine.path("store");
  let name: string;
  {
    await using registry = await startRegistry();
    name = stored(registry, "some/image", sample);
    await using source = await sourceFromEnvironment(name, { ...machine, store: directory });
    await list(name, "/etc", { source, platform });
  }
  for (const kept of [directory, store(directory)]) {
    await using source = await sourceFromEnvironment(name, { ...machine, store: kept, offline: true });
    const { entries } = await list(name, "/etc", { source, platform });
    assert.deepEqual(
      entries.map(({ path }) => path),
      ["etc/name"],
    );
  }
});

test("limits reach documents of every kind of source", async (context) => {
  const machine = await testMachine(context);
  await writeImageLayout(machine.path("layout"), [{ tag: "1", images: [sample] }]);
  await using registry = await startRegistry();
  for (const name of [stored(registry, "some/image", sample), `oci:${machine.path("layout")}:1`]) {
    await using source = await sourceFromEnvironment(name, { ...machine, limits: { manifestBytes: 10 } });
    await assert.rejects(resolve(name, { source, platform }), { code: "LIMIT_EXCEEDED" });
  }
});
