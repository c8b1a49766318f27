import { stat } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { fileSystemError, isErrno } from "../base/system-error.ts";
import { readConfigFile, tellOfFile, warnOfFile } from "./config-file.ts";
import { type ConfiguredHost, configuredHosts, theRegistryItself } from "./hosts-toml.ts";
import { certificateFiles } from "./tls-files.ts";
import type { Toml } from "./toml.ts";

/** The hosts for one registry by containerd's configuration. */
interface HostsConfiguration {
  readonly origin: string;
  readonly hosts: readonly ConfiguredHost[];
}

/**
 * Reads the configuration for a registry in a directory such as `/etc/containerd/certs.d`: from the directory
 * `HOST_PORT_`, `HOST:PORT`, or `_default`, which is for all registries without one of their own.
 *
 * As in containerd, a `hosts.toml` that is not TOML is a warning, and the certificates beside it are used.
 */
export async function readHostsDirectory(
  root: string,
  host: string,
  options: FetchOptions = {},
): Promise<HostsConfiguration | undefined> {
  for (const name of new Set([host.replace(/:(\d+)$/, "_$1_"), host, "_default"])) {
    const directory = join(root, name);
    if (!(await isDirectory(directory))) {
      tellOfFile(options.onEvent, directory, "is not there");
      continue;
    }
    const warn = (message: string) => warnOfFile(options.onEvent, message);
    const origin = join(directory, "hosts.toml");
    const toml = await readToml(origin, warn, options);
    if (toml !== undefined) return { origin, hosts: configuredHosts(toml, directory, warn) };
    const files = await certificateFiles(directory);
    return { origin: directory, hosts: [{ ...theRegistryItself, ...files }] };
  }
  return undefined;
}

/**
 * Throws `CONFIGURATION` if a directory that the user named does not exist. Otherwise its mirrors would silently not be
 * used.
 */
export async function requireHostsDirectory(root: string): Promise<void> {
  if (await isDirectory(root)) return;
  throw new OciUnpackError(
    "CONFIGURATION",
    `cannot use "${root}" as the directory of hosts: there is no such directory`,
    {
      hint: "name one that holds REGISTRY/hosts.toml, as containerd's /etc/containerd/certs.d does",
    },
  );
}

async function readToml(
  path: string,
  warn: (message: string) => void,
  options: FetchOptions,
): Promise<Toml | undefined> {
  const text = await readConfigFile(path, options);
  // An empty file counts as none.
  if (!text) return undefined;
  const toml = await import("./toml.ts");
  try {
    return toml.Toml.parse(path, text);
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    warn(error.message);
    return undefined;
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENOTDIR")) return false;
    throw fileSystemError(error, `read "${path}"`);
  }
}
