import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../errors.ts";
import { fileSystemError } from "../file-system-error.ts";
import { isErrno, readConfigFile } from "./config-file.ts";
import { configHome } from "./credential-places.ts";
import type { Machine } from "./machine.ts";
import type { TlsFor, TlsMaterial } from "./options.ts";

/** The directories in which podman and docker look for a registry's certificates. */
export function certificateDirectories(machine: Machine): readonly string[] {
  return [join(configHome(machine), "containers/certs.d"), "/etc/containers/certs.d", "/etc/docker/certs.d"];
}

/**
 * Finds a registry's authorities and client certificate in the first of `directories` that has a directory of its name
 * (containers-certs.d(5)).
 */
export function certificatesIn(directories: readonly string[]): TlsFor {
  return async (host) => {
    for (const directory of directories) {
      const material = await readCertificates(join(directory, host));
      if (material !== undefined) return material;
    }
    return undefined;
  };
}

/**
 * Reads a directory of certificates: `*.crt` are authorities, `NAME.cert` with `NAME.key` is what we show.
 *
 * Gives `undefined` where there is no such directory. Half of a pair is an error, because the registry's own complaint
 * would not say what is missing. Of several pairs the first by name is taken: TLS lets us show only one.
 */
export async function readCertificates(directory: string): Promise<TlsMaterial | undefined> {
  const names = await sortedNames(directory);
  if (names === undefined) return undefined;
  const ca = await Promise.all(withSuffix(names, ".crt").map((name) => readPem(join(directory, `${name}.crt`))));
  const [certificate, ...others] = withSuffix(names, ".cert");
  for (const name of withSuffix(names, ".key")) {
    if (name !== certificate && !others.includes(name)) throw incomplete(directory, `${name}.key`, `${name}.cert`);
  }
  if (certificate === undefined) return { ca };
  const key = names.includes(`${certificate}.key`) ? join(directory, `${certificate}.key`) : undefined;
  return { ca, ...(await readClientCertificate(join(directory, `${certificate}.cert`), key)) };
}

/** Reads a client certificate and its key, which may stand in one file. */
export async function readClientCertificate(
  certPath: string,
  keyPath?: string,
): Promise<{ cert: string; key: string }> {
  const cert = await readPem(certPath);
  const key = keyPath === undefined ? cert : await readPem(keyPath);
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) return { cert, key };
  throw new OciUnpackError(
    "INVALID_OPTION",
    `cannot use the client certificate "${certPath}": "${keyPath ?? certPath}" holds no private key`,
  );
}

/** Reads what must be there and must be PEM. */
export async function readPem(path: string): Promise<string> {
  const text = await readConfigFile(path);
  if (text?.includes("-----BEGIN ")) return text;
  const found = text === undefined ? "there is no such file" : "it is not PEM";
  throw new OciUnpackError("INVALID_OPTION", `cannot use "${path}": ${found}`);
}

async function sortedNames(directory: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return undefined;
    throw fileSystemError(error, `read "${directory}"`);
  }
}

function withSuffix(names: readonly string[], suffix: string): string[] {
  return names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
}

function incomplete(directory: string, present: string, missing: string): OciUnpackError {
  return new OciUnpackError("INVALID_OPTION", `cannot use "${directory}": it has "${present}" and no "${missing}"`);
}
