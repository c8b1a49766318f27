import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import type { TlsFor, TlsMaterial } from "../http/options.ts";
import { readConfigFile, tellOfFile } from "./config-file.ts";
import { configHome, type SettledMachine } from "./machine.ts";
/**
 * Combines TLS material: the authorities of both, and the client certificate of the first that has one. Verification is
 * skipped if one of them says so.
 */
export function combinedTls(first: TlsMaterial | undefined, second: TlsMaterial | undefined): TlsMaterial | undefined {
  const ca = [...(first?.ca ?? []), ...(second?.ca ?? [])];
  const { cert, key } = (first?.cert === undefined ? second : first) ?? {};
  const insecureSkipVerify = Boolean(first?.insecureSkipVerify || second?.insecureSkipVerify);
  const client = cert !== undefined && key !== undefined ? { cert, key } : undefined;
  if (ca.length === 0 && client === undefined && !insecureSkipVerify) return undefined;
  return { ca, ...client, ...(insecureSkipVerify && { insecureSkipVerify }) };
}

/** Prepares TLS material before it is used. */
export type SharedTls = (material: TlsMaterial) => Promise<TlsMaterial>;

/**
 * Returns the same object for equal material, because only requests with the same object share connections.
 *
 * If the material has authorities, `others` are added to them; they are read only then.
 */
export function sharedTls(others: () => Promise<readonly string[]> = async () => []): SharedTls {
  const known = new Map<string, TlsMaterial>();
  return async (own) => {
    const material = own.ca?.length ? { ...own, ca: [...new Set([...own.ca, ...(await others())])] } : own;
    const text = JSON.stringify([material.ca, material.cert, material.key, material.insecureSkipVerify]);
    const first = known.get(text) ?? material;
    known.set(text, first);
    return first;
  };
}

/** The directories in which podman and docker look for the certificates of registries. */
export function certificateDirectories(machine: SettledMachine): readonly string[] {
  const { systemDirectory = "/etc" } = machine;
  const directories = [configHome(machine), systemDirectory].map((directory) => join(directory, "containers/certs.d"));
  return [...directories, join(systemDirectory, "docker/certs.d")];
}

/**
 * Finds the authorities and the client certificate for a registry: in the first of `directories` that has a directory
 * with the registry's name (containers-certs.d(5)).
 */
export function certificatesIn(directories: readonly string[]): TlsFor {
  const told = new Map<string, boolean>(); // each is looked for many times, but only changes are told
  return async (host, options) => {
    for (const directory of directories) {
      const path = join(directory, host);
      const files = await certificateFiles(path);
      const isThere = files !== undefined;
      if (told.get(path) !== isThere) tellOfFile(options?.onEvent, path, isThere ? "counts" : "is not there");
      told.set(path, isThere);
      if (files !== undefined) return readTlsMaterial(files, options);
    }
    return undefined;
  };
}

/** The paths of files with certificates and keys. */
export interface CertificateFiles {
  /** Authorities. */
  readonly ca: readonly string[];
  /** Client certificates with their keys, which may be in the same files. */
  readonly client: readonly (readonly [cert: string, key?: string])[];
}

/**
 * Lists a directory of certificates: `*.crt` are authorities, `NAME.cert` with `NAME.key` are client certificates.
 * `undefined` if there is no such directory.
 *
 * A key without a certificate is an error, because the registry's error would not say what is missing.
 */
export async function certificateFiles(directory: string): Promise<CertificateFiles | undefined> {
  const names = await sortedNames(directory);
  if (names === undefined) return undefined;
  const inDirectory = (name: string) => join(directory, name);
  const [certificates, keys] = [withSuffix(names, ".cert"), withSuffix(names, ".key")];
  const lonely = keys.find((name) => !certificates.includes(name));
  if (lonely !== undefined) {
    const found = `it has "${lonely}.key" and no "${lonely}.cert"`;
    throw new OciUnpackError("CONFIGURATION", `cannot use "${directory}": ${found}`);
  }
  return {
    ca: withSuffix(names, ".crt").map((name) => inDirectory(`${name}.crt`)),
    client: certificates.map((name) =>
      keys.includes(name) ? [inDirectory(`${name}.cert`), inDirectory(`${name}.key`)] : [inDirectory(`${name}.cert`)],
    ),
  };
}

/** Reads the files. Of several client certificates the first one is used: a connection can have only one. */
export async function readTlsMaterial(files: CertificateFiles, options: FetchOptions = {}): Promise<TlsMaterial> {
  const [pair] = files.client;
  const authorities = await Promise.all(files.ca.map((path) => readCertificate(path, options)));
  if (pair === undefined) return { ca: authorities };
  const [certPath, keyPath = certPath] = pair;
  const [cert, key] = await Promise.all([readCertificate(certPath, options), readPem(keyPath, options)]);
  const action = `cannot use the client certificate "${certPath}"`;
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(key)) {
    throw new OciUnpackError("CONFIGURATION", `${action}: "${keyPath}" holds no private key`);
  }
  if (isEncrypted(key)) {
    throw new OciUnpackError("CONFIGURATION", `${action}: "${keyPath}" is encrypted, and there is no password for it`, {
      hint: "write the key without a password: openssl pkey -in KEY -out NEW-KEY",
    });
  }
  return { ca: authorities, cert, key };
}

/** Whether a private key has a password, as PKCS #8 or as OpenSSL's older form says it. */
function isEncrypted(key: string): boolean {
  return key.includes("-----BEGIN ENCRYPTED PRIVATE KEY-----") || key.includes("Proc-Type: 4,ENCRYPTED");
}

async function readCertificate(path: string, options: FetchOptions): Promise<string> {
  const text = await readPem(path, options);
  if (text.includes("CERTIFICATE-----")) return text;
  throw new OciUnpackError("CONFIGURATION", `cannot use "${path}": it holds no certificate`);
}

async function readPem(path: string, options: FetchOptions): Promise<string> {
  const text = await readConfigFile(path, options);
  if (text?.includes("-----BEGIN ")) return text;
  const found = text === undefined ? "there is no such file" : "it is not PEM";
  throw new OciUnpackError("CONFIGURATION", `cannot use "${path}": ${found}`);
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
