import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { registryFromEnvironment } from "../../src/configuration/environment.ts";
import { certificateDirectories, certificatesIn } from "../../src/configuration/tls-files.ts";
import { registrySource } from "../../src/registry/registry.ts";
import { authority } from "../support/certificates.ts";
import { image, stored } from "../support/image.ts";
import { startRegistry } from "../support/registry-double.ts";
import { skipWithout } from "../support/tools.ts";
import { testMachine } from "./machine.ts";

const certificate = (name: string) => `-----BEGIN CERTIFICATE-----\n${name}\n-----END CERTIFICATE-----\n`;
const privateKey = (name: string) => `-----BEGIN EC PRIVATE KEY-----\n${name}\n-----END EC PRIVATE KEY-----\n`;

async function found(context: TestContext, files: Readonly<Record<string, string>>, host = "r.example:5000") {
  const machine = await testMachine(context, { files });
  return certificatesIn([machine.path("one"), machine.path("two")])(host);
}

test("R-70: podman's directories come before docker's, the user's before the system's", async (context) => {
  const machine = await testMachine(context);
  const system = ["/etc/containers/certs.d", "/etc/docker/certs.d"];
  assert.deepEqual(certificateDirectories({ ...machine, systemDirectory: undefined }), [
    machine.path("home/.config/containers/certs.d"),
    ...system,
  ]);
});

test("R-70: *.crt are authorities, and a .cert goes with the .key of its name", async (context) => {
  const material = await found(context, {
    "one/r.example:5000/b.crt": certificate("b"),
    "one/r.example:5000/a.crt": certificate("a"),
    "one/r.example:5000/client.cert": certificate("client"),
    "one/r.example:5000/client.key": privateKey("client"),
    "one/r.example:5000/README": "nothing",
  });
  assert.deepEqual(material, {
    ca: [certificate("a"), certificate("b")],
    cert: certificate("client"),
    key: privateKey("client"),
  });
});

test("R-70: the directory bears the name in the reference, port included", async (context) => {
  const files = { "one/r.example/ca.crt": certificate("a") };
  assert.equal(await found(context, files, "r.example:443"), undefined);
  assert.deepEqual(await found(context, files, "r.example"), { ca: [certificate("a")] });
  assert.deepEqual(await found(context, { "one/[::1]:5000/ca.crt": certificate("a") }, "[::1]:5000"), {
    ca: [certificate("a")],
  });
});

test("R-70: the first directory that has the registry counts, even an empty one", async (context) => {
  const files = { "one/r.example:5000/.keep": "", "two/r.example:5000/ca.crt": certificate("a") };
  assert.deepEqual(await found(context, files), { ca: [] });
});

test("R-70: a key may stand in the file of its certificate", async (context) => {
  const both = certificate("client") + privateKey("client");
  assert.deepEqual(await found(context, { "two/r.example:5000/client.cert": both }), { ca: [], cert: both, key: both });
});

test("R-70: half of a pair, and what is not PEM, is an error that names the file", async (context) => {
  const refused = async (name: string, text: string, message: RegExp) =>
    assert.rejects(
      found(context, { [`one/r.example:5000/${name}`]: text }),
      (error) => isOciUnpackError(error, "CONFIGURATION") && message.test(error.message),
    );
  await refused("client.cert", certificate("client"), /"[^"]*client\.cert" holds no private key$/);
  await refused("client.key", privateKey("client"), /has "client\.key" and no "client\.cert"$/);
  await refused("ca.crt", "\x30\x82\x01", /ca\.crt": it is not PEM$/);
  await refused("ca.crt", privateKey("ca"), /ca\.crt": it holds no certificate$/);
  await refused("client.cert", privateKey("client"), /client\.cert": it holds no certificate$/);
});

test("R-70: a key that has a password is told from one that is damaged", async (context) => {
  const encrypted = {
    "PKCS #8": privateKey("client").replaceAll("EC", "ENCRYPTED"),
    older: privateKey("Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nclient"),
  };
  for (const [form, key] of Object.entries(encrypted)) {
    const files = { "one/r.example:5000/c.cert": certificate("client"), "one/r.example:5000/c.key": key };
    await assert.rejects(
      found(context, files),
      (error) =>
        isOciUnpackError(error, "CONFIGURATION") &&
        /c\.key" is encrypted, and there is no password for it$/.test(error.message) &&
        (error.hint?.includes("openssl pkey") ?? false),
      form,
    );
  }
});

test("R-70, R-71: a registry that wants a client certificate opens to the files of either configuration", {
  skip: skipWithout("openssl"),
}, async (context) => {
  const own = await authority();
  const mine = await own.issue({ names: "DNS:me.test" });
  await using server = await startRegistry({ tls: { ...(await own.issue()), clientCa: own.cert } });
  const reference = stored(server, "ns/image", image([]));
  const docker = `etc/docker/certs.d/${server.host}`;
  const containerd = `etc/containerd/certs.d/${server.host}`;

  for (const files of [
    { [`${docker}/ca.crt`]: own.cert, [`${docker}/client.cert`]: mine.cert, [`${docker}/client.key`]: mine.key },
    {
      [`${containerd}/ca.crt`]: own.cert,
      [`${containerd}/client.cert`]: mine.cert,
      [`${containerd}/client.key`]: mine.key,
    },
    {
      [`${containerd}/hosts.toml`]: 'ca = "our.pem"\nclient = [["my.pem", "my.key"]]',
      [`${containerd}/our.pem`]: own.cert,
      [`${containerd}/my.pem`]: mine.cert,
      [`${containerd}/my.key`]: mine.key,
    },
  ]) {
    await using source = registrySource(await registryFromEnvironment(await testMachine(context, { files })));
    assert.notEqual((await source.image(reference).manifest()).bytes.length, 0);
  }
  await using without = registrySource({ ...(await registryFromEnvironment(await testMachine(context))), retries: 0 });
  await assert.rejects(without.image(reference).manifest());
});
