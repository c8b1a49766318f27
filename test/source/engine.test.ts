import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { engineSocketFromEnvironment, engineSource, sourceFor, unpack } from "../../src/index.ts";
import { image } from "../support/image.ts";
import { writeImageLayout } from "../support/image-layout.ts";
import { ociUnpack } from "../support/oci-unpack.ts";
import { type PodmanService, podmanService } from "../support/podman-service.ts";
import { type Scratch, scratch } from "../support/scratch.ts";
import { directory, file, symlink, tar } from "../support/tar-builder.ts";
import { skipUnlessRoot, skipWithout } from "../support/tools.ts";
import { readTree } from "../support/tree.ts";

const plain = image([
  tar(directory("etc"), file("etc/name", "engine"), symlink("link", "etc/name")),
  tar(file("etc/more", "second layer")),
]);

describe("podman as a service", { skip: skipUnlessRoot() || skipWithout("podman") }, () => {
  let place: Scratch;
  let engine: PodmanService;

  before(async () => {
    place = await scratch();
    await writeImageLayout(join(place.directory, "layout"), [{ tag: "1", images: [plain] }]);
    await mkdir(join(place.directory, "engine"));
    engine = await podmanService(join(place.directory, "engine"));
    const id = (await engine.podman("pull", "-q", `oci:${place.directory}/layout:1`)).trim();
    await engine.podman("tag", id, "docker.io/library/app:1");
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  test("gives an image by its name, and by its identifier", async () => {
    for (const [index, reference] of ["app:1", plain.config.descriptor.digest.slice(7)].entries()) {
      await using source = sourceFor(`docker-daemon:${reference}`, { engineSocket: engine.socket });
      const target = join(place.directory, `target-${index}`);
      const options = { source, platform: "linux/amd64" };
      const { rootfs } = await unpack(`docker-daemon:${reference}`, target, options);
      const direct = await unpack(`oci:${place.directory}/layout:1`, `${target}-direct`, { platform: "linux/amd64" });
      assert.deepEqual(readTree(rootfs), readTree(direct.rootfs));
    }
  });

  test("says what image it does not have", async () => {
    await using source = engineSource(engine.socket);
    await assert.rejects(unpack("docker-daemon:nothing:1", join(place.directory, "nothing"), { source }), {
      code: "NOT_FOUND",
      message: new RegExp(`^cannot fetch "nothing:1" from the engine at "${engine.socket}": .*image not known`),
    });
  });

  test("is found by the command in DOCKER_HOST", async () => {
    const args = ["-p", "linux/amd64", "-q", "docker-daemon:app:1", join(place.directory, "by-command")];
    const { status, stderr } = await ociUnpack(args, { env: { DOCKER_HOST: `unix://${engine.socket}` } });
    assert.deepEqual([status, stderr], [0, ""]);
  });
});

test("an engine that is not there, or breaks off, is one clear error", async () => {
  await using place = await scratch();
  const socket = join(place.directory, "engine.sock");
  const attempt = async () => {
    await using source = engineSource(socket);
    await source.image("docker-daemon:app").manifest();
  };
  await assert.rejects(attempt(), {
    code: "UNREACHABLE",
    message: `cannot fetch "app" from the engine at "${socket}": no engine listens there`,
  });
  await using server = await serverAt(socket, (_request, response) => {
    response.writeHead(200);
    response.write("x".repeat(600));
    setImmediate(() => response.destroy());
  });
  await assert.rejects(attempt(), { code: "UNREACHABLE" });
  assert.ok(server);
});

test("an engine is asked for exactly what the name says, and for nothing else", async () => {
  await using place = await scratch();
  const asked: (string | undefined)[] = [];
  await using server = await serverAt(join(place.directory, "s"), (request, response) => {
    asked.push(request.url);
    response.writeHead(500, { "content-type": "application/json" }).end('{"message":"out of order"}');
  });
  for (const reference of ["host:5000/a/b:1", `a@sha256:${"0".repeat(64)}`]) {
    await using source = engineSource(join(place.directory, "s"));
    await assert.rejects(source.image(`docker-daemon:${reference}`).manifest(), { message: /: out of order$/ });
  }
  assert.deepEqual(asked, ["/images/host:5000/a/b:1/get", `/images/a@sha256:${"0".repeat(64)}/get`]);
  for (const reference of ["", "../containers", "a/../../b", "a?b", "a b", "a%2fb"]) {
    await using source = engineSource(join(place.directory, "s"));
    assert.throws(() => source.image(`docker-daemon:${reference}`), { code: "INVALID_REFERENCE" });
  }
  assert.ok(server);
});

test("an abort ends the wait for an engine", async () => {
  await using place = await scratch();
  await using server = await serverAt(join(place.directory, "s"), () => {});
  await using source = engineSource(join(place.directory, "s"));
  const reason = new Error("enough");
  const signal = abortedSoon(reason);
  await assert.rejects(source.image("docker-daemon:app").manifest(undefined, { signal }), (error) => error === reason);
  assert.ok(server);
});

test("the engine's socket is DOCKER_HOST's, or one that is there", async () => {
  await using place = await scratch();
  const socketFor = (env: Readonly<Record<string, string>>) => engineSocketFromEnvironment({ env });
  assert.equal(await socketFor({ DOCKER_HOST: "unix:///run/mine.sock" }), "/run/mine.sock");
  await assert.rejects(socketFor({ DOCKER_HOST: "tcp://127.0.0.1:2375" }), { code: "INVALID_OPTION" });
  await mkdir(join(place.directory, "podman"));
  await using server = await serverAt(join(place.directory, "podman/podman.sock"), () => {});
  const found = await socketFor({ XDG_RUNTIME_DIR: place.directory });
  assert.ok([join(place.directory, "podman/podman.sock"), "/var/run/docker.sock"].includes(found));
  assert.ok(server);
});

async function serverAt(socket: string, listener: RequestListener): Promise<Server & AsyncDisposable> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  return Object.assign(server, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}

function abortedSoon(reason: Error): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(reason), 50);
  return controller.signal;
}
