import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FetchOptions } from "../base/events.ts";
import { readConfigFile, warnOfFile } from "./config-file.ts";
import type { Environment, SettledMachine } from "./machine.ts";

/** The files in which distributions have all authorities, as in Go: Debian, Fedora, openSUSE, RHEL, Alpine. */
const bundles = [
  "ssl/certs/ca-certificates.crt",
  "pki/tls/certs/ca-bundle.crt",
  "ssl/ca-bundle.pem",
  "pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "ssl/cert.pem",
];

/**
 * The authorities of the system, which curl, docker and podman trust: `$SSL_CERT_FILE` and the files in
 * `$SSL_CERT_DIR`, or else the first of the distributions' files that exists.
 *
 * Node's `getCACertificates("system")` only looks where its OpenSSL was built to look.
 */
export async function systemAuthorities(machine: SettledMachine, options: FetchOptions): Promise<readonly string[]> {
  const { env, systemDirectory = "/etc" } = machine;
  if (env.SSL_CERT_FILE || env.SSL_CERT_DIR) {
    const inDirectories = await filesIn((env.SSL_CERT_DIR ?? "").split(":").filter((path) => path !== ""));
    return await certificatesIn([...(env.SSL_CERT_FILE ? [env.SSL_CERT_FILE] : []), ...inDirectories], options);
  }
  for (const bundle of bundles) {
    const found = await certificatesIn([join(systemDirectory, bundle)], options);
    if (found.length > 0) return found;
  }
  return [];
}

async function certificatesIn(paths: readonly string[], options: FetchOptions): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const path of paths) {
    try {
      const text = await readConfigFile(path, options);
      if (text?.includes("-----BEGIN ")) texts.push(text);
    } catch {
      // A connection that needs it fails, and its error says that the authority is unknown.
      warnOfFile(options.onEvent, `"${path}" cannot be read: its authorities do not count`);
    }
  }
  return texts;
}

async function filesIn(directories: readonly string[]): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const directory of directories) {
    const names = await readdir(directory).catch(() => []);
    paths.push(...names.filter((name) => /\.(?:pem|crt|cer|\d)$/.test(name)).map((name) => join(directory, name)));
  }
  return paths;
}

/**
 * The authorities in `NODE_EXTRA_CA_CERTS`, for versions of Node in which they would be lost.
 *
 * Node trusts them, but when an authority is added, the list of all authorities has to be given. Since Node 22.15 Node
 * can be asked for it; for older versions the file is read here.
 */
export async function extraAuthorities(env: Environment, options: FetchOptions): Promise<readonly string[]> {
  const path = env.NODE_EXTRA_CA_CERTS;
  if (!path || (await import("../http/tls-context.ts")).tellsAuthorities()) return [];
  try {
    const text = await readConfigFile(path, options);
    return text?.includes("-----BEGIN ") ? [text] : [];
  } catch {
    // Node ignores a file that it cannot read, and so does this.
    warnOfFile(options.onEvent, `"${path}" (NODE_EXTRA_CA_CERTS) cannot be read`);
    return [];
  }
}
