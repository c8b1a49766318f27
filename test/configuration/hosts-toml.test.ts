import assert from "node:assert/strict";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import { type ConfiguredHost, configuredHosts, theRegistryItself } from "../../src/configuration/hosts-toml.ts";
import { Toml } from "../../src/configuration/toml.ts";

function hosts(text: string, warnings: string[] = []): readonly ConfiguredHost[] {
  const path = "/certs.d/r.example/hosts.toml";
  return configuredHosts(Toml.parse(path, text), "/certs.d/r.example", (message) => warnings.push(message));
}

function baseUrls(text: string): (string | undefined)[] {
  return hosts(text).map((host) => host.baseUrl);
}

function refused(text: string, message: RegExp): void {
  assert.throws(
    () => hosts(text),
    (error) => isOciUnpackError(error, "CONFIGURATION") && message.test(error.message),
  );
}

test("R-71: hosts come in the order of the file, then the server, then nothing else", () => {
  const text = `
    server = "https://upstream.example"
    [host."https://z.example"]
    [host."https://a.example".header]
      x-one = "1"
    [host."http://m.example:5000"]`;
  assert.deepEqual(baseUrls(text), [
    "https://z.example/v2",
    "https://a.example/v2",
    "http://m.example:5000/v2",
    "https://upstream.example/v2",
  ]);
});

test("R-71: without a server, the registry itself comes last, with what the file says at its top", () => {
  assert.deepEqual(hosts(""), [theRegistryItself]);
  assert.deepEqual(hosts(`skip_verify = true\n[host."m.example"]`), [
    { ...theRegistryItself, baseUrl: "https://m.example/v2" },
    { ...theRegistryItself, skipVerify: true },
  ]);
});

test("R-71: /v2 is added unless it is there or override_path says that the path is complete", () => {
  const url = (host: string, more = "") => baseUrls(`[host."${host}"]\n${more}`)[0];
  assert.equal(url("https://m.example"), "https://m.example/v2");
  assert.equal(url("https://m.example/"), "https://m.example/v2");
  assert.equal(url("https://m.example/v2/"), "https://m.example/v2");
  assert.equal(url("https://m.example//hub/"), "https://m.example/hub/v2");
  assert.equal(url("https://m.example/v2/hub"), "https://m.example/v2/hub/v2");
  assert.equal(url("https://m.example/v2/hub", "override_path = true"), "https://m.example/v2/hub");
  assert.equal(url("https://m.example", "override_path = true"), "https://m.example");
  assert.equal(url("m.example:5000"), "https://m.example:5000/v2");
  assert.equal(url("httpbin.example"), "https://httpbin.example/v2");
  assert.equal(url("http://[::1]:5000"), "http://[::1]:5000/v2");
});

test("R-71: capabilities are all by default, and whoever lacks resolve may not say what a tag means", () => {
  const capabilities = (words: string) => {
    const [host] = hosts(`[host."m.example"]\ncapabilities = ${words}`);
    return host && { pulls: host.pulls, resolves: host.resolves };
  };
  assert.deepEqual(capabilities("[]"), { pulls: true, resolves: true });
  assert.deepEqual(capabilities('["pull"]'), { pulls: true, resolves: false });
  assert.deepEqual(capabilities('["Pull", "RESOLVE"]'), { pulls: true, resolves: true });
  assert.deepEqual(capabilities('["push"]'), { pulls: false, resolves: false });
  refused('capabilities = ["pul"]', /hosts\.toml": line 1: capabilities has other words than/);
});

test("R-71: ca is a file or a list, beside the file or anywhere", () => {
  assert.deepEqual(hosts('ca = "ca.crt"')[0]?.ca, ["/certs.d/r.example/ca.crt"]);
  assert.deepEqual(hosts('ca = ["/etc/a.pem", "b/../c.pem"]')[0]?.ca, ["/etc/a.pem", "/certs.d/r.example/c.pem"]);
});

test("R-71: client takes its three shapes", () => {
  assert.deepEqual(hosts('client = "/c.pem"')[0]?.client, [["/c.pem"]]);
  assert.deepEqual(hosts('client = ["/a.pem", "b.pem"]')[0]?.client, [["/a.pem"], ["/certs.d/r.example/b.pem"]]);
  assert.deepEqual(hosts('client = [["/a.cert", "/a.key"], ["/b.pem", ""]]')[0]?.client, [
    ["/a.cert", "/a.key"],
    ["/b.pem"],
  ]);
  refused('client = [["a", "b", "c"]]', /client is not a list/);
  refused("client = [[1]]", /client is not a list/);
});

test("R-71: headers are one value or several, and none can smuggle in another", () => {
  const text = `[host."m.example".header]\nAuthorization = "Bearer x"\nx-two = ["a", "b"]`;
  assert.deepEqual(hosts(text)[0]?.headers, { Authorization: ["Bearer x"], "x-two": ["a", "b"] });
  refused('[header]\nx-one = "a\\r\\nx-evil: b"', /": line 2: header\.x-one cannot be sent as a header$/);
  refused('[header]\n"x one" = "a"', /": line 2: header\."?x one"? cannot be sent as a header$/);
  refused('[header]\nHost = "other"', /cannot be sent/);
});

test("R-71: dial_timeout is a duration as Go writes it", () => {
  const timeout = (text: string) => hosts(`dial_timeout = "${text}"`)[0]?.dialTimeoutMilliseconds;
  assert.deepEqual(["200ms", "1m1.5s", "0s", "0", "", "500us"].map(timeout), [
    200,
    61_500,
    undefined,
    undefined,
    undefined,
    0.5,
  ]);
  refused('dial_timeout = "200"', /dial_timeout is not a duration/);
  refused('dial_timeout = "-1s"', /dial_timeout is not a duration/);
});

test("R-71: a mistake is an error that names the file and the key and shows no value", () => {
  refused(
    '[host."m.example"]\nskip_verify = "hush"',
    /^cannot use "\/certs\.d\/r\.example\/hosts\.toml": line 2: host\."m\.example"\.skip_verify is not true or false$/,
  );
  refused('server = "hush://secret"', /^cannot use "[^"]*": line 1: server is not the URL of a host$/);
  refused('[host."https://user:secret@m.example"]', /is not the URL of a host$/);
  refused('a = "hush\n', /^cannot use "\/certs\.d\/r\.example\/hosts\.toml": line 1 is not TOML$/);
});

test("R-71: a key that is not understood is a warning", () => {
  const warnings: string[] = [];
  hosts('proxy = "http://hush"\n[host."m.example"]\ncapabilites = ["pull"]', warnings);
  assert.deepEqual(warnings, [
    'cannot use "/certs.d/r.example/hosts.toml": line 1: proxy is unknown here and is ignored',
    'cannot use "/certs.d/r.example/hosts.toml": line 3: host."m.example".capabilites is unknown here and is ignored',
  ]);
});
