import assert from "node:assert/strict";
import { test } from "node:test";
import { isOciUnpackError } from "../../src/base/errors.ts";
import type { Environment } from "../../src/configuration/machine.ts";
import { type ProxyOptions, proxyFromEnvironment } from "../../src/configuration/proxy.ts";

const proxy = "http://proxy.example:3128";

function proxied(env: Environment, url: string, options?: ProxyOptions): string | undefined {
  return proxyFromEnvironment(env, options)(new URL(url))?.href;
}

/** Whether `NO_PROXY=list` lets a request to `url` go out directly. */
function direct(list: string, url: string): boolean {
  return proxied({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: list }, url) === undefined;
}

test("R-74: each scheme takes its own variable, and https never takes HTTP_PROXY", () => {
  assert.equal(proxied({ HTTPS_PROXY: proxy }, "https://ghcr.io/v2/"), `${proxy}/`);
  assert.equal(proxied({ HTTP_PROXY: proxy }, "http://ghcr.io/v2/"), `${proxy}/`);
  assert.equal(proxied({ HTTP_PROXY: proxy }, "https://ghcr.io/v2/"), undefined);
  assert.equal(proxied({ HTTPS_PROXY: proxy }, "http://ghcr.io/v2/"), undefined);
});

test("R-74: the lower-case spelling counts where both are set, and an empty one counts as not set", () => {
  assert.equal(
    proxied({ https_proxy: "http://lower:1", HTTPS_PROXY: "http://upper:1" }, "https://ghcr.io"),
    "http://lower:1/",
  );
  assert.equal(proxied({ https_proxy: "", HTTPS_PROXY: "http://upper:1" }, "https://ghcr.io"), "http://upper:1/");
  assert.equal(direct("", "https://ghcr.io"), false);
  assert.equal(proxied({ HTTPS_PROXY: proxy, no_proxy: "a", NO_PROXY: "ghcr.io" }, "https://ghcr.io"), `${proxy}/`);
});

test("R-74: a proxy without a scheme is an http proxy, and its credentials are kept", () => {
  assert.equal(
    proxied({ HTTPS_PROXY: "user:secret@proxy.example:3128" }, "https://ghcr.io"),
    "http://user:secret@proxy.example:3128/",
  );
  assert.equal(proxied({ HTTPS_PROXY: "https://proxy.example" }, "https://ghcr.io"), "https://proxy.example/");
});

test("R-74: this machine is never proxied", () => {
  const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, ALL_PROXY: proxy };
  for (const host of ["localhost", "registry.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]) {
    assert.equal(proxied(env, `http://${host}:5000/v2/`, { allProxy: true }), undefined, host);
  }
  assert.equal(proxied(env, "http://mylocalhost:5000/v2/"), `${proxy}/`);
});

test("R-74: NO_PROXY names a host and all beneath it, a leading dot or star only what is beneath", () => {
  assert.equal(direct("example.com", "https://example.com"), true);
  assert.equal(direct("example.com", "https://a.b.example.com"), true);
  assert.equal(direct("example.com", "https://notexample.com"), false);
  assert.equal(direct(".example.com", "https://a.example.com"), true);
  assert.equal(direct(".example.com", "https://example.com"), false);
  assert.equal(direct("*.example.com", "https://a.example.com"), true);
  assert.equal(direct("*.example.com", "https://example.com"), false);
  assert.equal(direct(" a.com , EXAMPLE.com ", "https://Example.COM"), true);
  assert.equal(direct("a.com example.com", "https://example.com"), false);
});

test("R-74: NO_PROXY with a port holds for that port only, default ports included", () => {
  assert.equal(direct("example.com:5000", "https://example.com:5000"), true);
  assert.equal(direct("example.com:5000", "https://example.com"), false);
  assert.equal(direct("example.com:443", "https://example.com"), true);
  assert.equal(direct("example.com:80", "http://example.com"), true);
  assert.equal(direct("10.1.2.3:5000", "http://10.1.2.3:5000"), true);
  assert.equal(direct("10.1.2.3:5000", "http://10.1.2.3"), false);
  assert.equal(direct("[2001:db8::1]:5000", "http://[2001:db8::1]:5000"), true);
  assert.equal(direct("[2001:db8::1]:5000", "http://[2001:db8::1]:5001"), false);
});

test("R-74: NO_PROXY takes addresses and networks of both families", () => {
  assert.equal(direct("10.1.2.3", "http://10.1.2.3:5000"), true);
  assert.equal(direct("10.0.0.0/8", "http://10.1.2.3:5000"), true);
  assert.equal(direct("10.0.0.0/8", "http://11.1.2.3:5000"), false);
  assert.equal(direct("10.0.0.0/8", "http://[::ffff:10.1.2.3]"), true);
  assert.equal(direct("10.0.0.0/8", "http://10.example.com"), false);
  assert.equal(direct("2001:db8::/32", "http://[2001:db8:1::5]:5000"), true);
  assert.equal(direct("2001:db8::/32", "http://[2001:db9::5]:5000"), false);
  assert.equal(direct("2001:db8::1", "http://[2001:db8:0::1]:5000"), true);
});

test("R-74: NO_PROXY=* sends everything out directly, and nonsense in the list harms nothing", () => {
  assert.equal(direct("*", "https://ghcr.io"), true);
  assert.equal(direct("a,*,b", "https://ghcr.io"), true);
  assert.equal(direct(",,:80,.,10.0.0.0/99,[,ghcr.io", "https://ghcr.io"), true);
  assert.equal(direct(",,:80,.,10.0.0.0/99,[", "https://ghcr.io"), false);
});

test("R-74: ALL_PROXY counts only for those who ask for it, and only where nothing better is set", () => {
  assert.equal(proxied({ ALL_PROXY: proxy }, "https://ghcr.io"), undefined);
  assert.equal(proxied({ ALL_PROXY: proxy }, "https://ghcr.io", { allProxy: true }), `${proxy}/`);
  assert.equal(
    proxied({ ALL_PROXY: "http://all:1", HTTPS_PROXY: proxy }, "https://ghcr.io", { allProxy: true }),
    `${proxy}/`,
  );
});

test("R-74: in a CGI program HTTP_PROXY is a header of the request and is not believed", () => {
  assert.equal(proxied({ REQUEST_METHOD: "GET", HTTP_PROXY: "http://evil" }, "http://ghcr.io"), undefined);
  assert.equal(proxied({ REQUEST_METHOD: "GET", http_proxy: proxy }, "http://ghcr.io"), `${proxy}/`);
});

test("R-74: a proxy that cannot be used fails the requests that need it, without showing its password", () => {
  const fails = (proxy: string) => () => proxied({ HTTPS_PROXY: proxy }, "https://ghcr.io");
  const decently = (error: unknown) => isOciUnpackError(error, "INVALID_OPTION") && !error.message.includes("secret");

  assert.throws(fails("socks5://user:secret@proxy.example:1080"), decently);
  assert.throws(fails("http://user:secret@:99999"), decently);
  assert.equal(proxied({ HTTPS_PROXY: "socks5://proxy.example" }, "https://localhost"), undefined);
});
