import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The registry that everybody's tools are tested with, running on loopback. */
export interface DockerRegistry extends AsyncDisposable {
  /** `address:port`: what stands before the first slash of a reference. */
  readonly host: string;
  /** Ends it at once, in the middle of whatever it sends. */
  kill(): Promise<void>;
}

export interface DockerRegistryOptions {
  /** Where it keeps its blobs. Default: a temporary directory that goes when the registry does. */
  readonly storage?: string;
  /** Where it listens. Default: 127.0.0.1. */
  readonly address?: string;
  /** Default: any free one. */
  readonly port?: number;
  /** The URL of a registry that it is to be a pull-through cache of. */
  readonly cacheOf?: string;
  /** Whom it lets in, as its configuration says it: `{ htpasswd: … }` or `{ token: … }`. Default: everybody. */
  readonly auth?: object;
  /** Files with its certificate and key, and with the authorities of client certificates, which it then demands. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientcas?: readonly string[] };
}

/** Starts Debian's `docker-registry` and waits until it listens. */
export async function dockerRegistry(options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const directory = await mkdtemp(join(tmpdir(), "docker-registry-"));
  const configuration = join(directory, "config.yml");
  await writeFile(configuration, configurationFor(join(directory, "storage"), options));
  const child = spawn("docker-registry", ["serve", configuration], { stdio: ["ignore", "ignore", "pipe"] });
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    await ended(child, signal);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const host = await listening(child);
    return { host, kill: () => end("SIGKILL"), [Symbol.asyncDispose]: () => end("SIGTERM") };
  } catch (error) {
    await end("SIGKILL");
    throw error;
  }
}

function configurationFor(ownStorage: string, options: DockerRegistryOptions): string {
  const { storage = ownStorage, address = "127.0.0.1", port = 0, cacheOf, auth, tls } = options;
  const http = { addr: `${address}:${port}`, secret: "loopback only", ...(tls && { tls }) };
  return [
    "version: 0.1",
    "log: { level: info, accesslog: { disabled: true } }",
    `storage: { filesystem: { rootdirectory: ${JSON.stringify(storage)} }, delete: { enabled: true } }`,
    `http: ${JSON.stringify(http)}`, // JSON is YAML
    ...(auth === undefined ? [] : [`auth: ${JSON.stringify(auth)}`]),
    ...(cacheOf === undefined ? [] : [`proxy: { remoteurl: ${JSON.stringify(cacheOf)} }`]),
  ].join("\n");
}

/** The kernel chooses the port, so no other process can take it in between; the log says which it is. */
async function listening(child: ChildProcess): Promise<string> {
  await once(child, "spawn");
  let log = "";
  return new Promise((resolve, reject) => {
    // The listener stays to the end: a log that nobody reads would stop the registry when the pipe is full.
    child.stderr?.on("data", (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-8192);
      const host = /listening on ([\d.]+:\d+)/.exec(log)?.[1];
      if (host !== undefined) resolve(host);
    });
    child.once("exit", () => reject(new Error(`cannot start docker-registry: ${log}`)));
  });
}

async function ended(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}
