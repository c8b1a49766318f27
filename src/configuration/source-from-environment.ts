import { stat } from "node:fs/promises";
import { join } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import {
  boolean,
  check,
  checkOptions,
  either,
  type Kinds,
  path,
  pathOf,
  store as storeKind,
  text,
} from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import type { Source } from "../blob/image-source.ts";
import { type RegistryOptions, registryKinds } from "../registry/options.ts";
import { kindOfSource, type SourceOptions, sourceFor } from "../source/default-source.ts";
import { defaultEngineSocket } from "../source/engine.ts";
import { type LocalOptions, localKinds } from "../source/local/local-source.ts";
import { type Store, store as storeIn } from "../store/store.ts";
import { storedSource } from "../store/stored-source.ts";
import { type EnvironmentOptions, environmentKinds, registryFromEnvironment } from "./environment.ts";
import { type Machine, machineKinds, machineNeeds } from "./machine.ts";

/** Options for registries that no configuration file has. */
type FurtherRegistryOptions = Pick<
  RegistryOptions,
  "credentials" | "network" | "foreignLayers" | "connectionsPerBlob" | "strict"
>;

/** The machine, options of the user that are not in its files, and where blobs are stored. */
export interface EnvironmentSourceOptions extends EnvironmentOptions, FurtherRegistryOptions, LocalOptions {
  /** A store, or its directory: blobs are stored there, and those that are there are not fetched. */
  readonly store?: Store | string | URL | undefined;
  /** Takes everything from the store and requests nothing. Default: false. */
  readonly offline?: boolean;
  /** Whether the store keeps indexes of layers, and they are read. Default: true. */
  readonly index?: boolean;
}

const kinds: Kinds<EnvironmentSourceOptions> = {
  ...environmentKinds,
  ...localKinds,
  credentials: registryKinds.credentials,
  network: registryKinds.network,
  foreignLayers: registryKinds.foreignLayers,
  connectionsPerBlob: registryKinds.connectionsPerBlob,
  strict: registryKinds.strict,
  store: either(storeKind, path),
  offline: boolean,
  index: boolean,
};

/**
 * The source for a name, with the configuration that the command uses: registries as docker, podman and containerd are
 * configured on this machine (logins, mirrors, certificates, proxies), the machine's engine, and layouts and archives
 * on its disk. With a store, everything that is fetched is stored there. Only the configuration that this name needs is
 * read.
 *
 * @throws OciUnpackError with `INVALID_OPTION` for an option, and `CONFIGURATION` for a file, that cannot be used.
 */
export async function sourceFromEnvironment(name: string, options: EnvironmentSourceOptions): Promise<Source> {
  check("name", name, text);
  const checked = checkOptions(options, kinds, machineNeeds);
  const { store, offline, index, limits } = checked;
  const source = sourceFor(name, await sourceOptions(name, checked));
  if (store === undefined) return source;
  const kept = typeof store === "string" || store instanceof URL ? storeIn(pathOf("store", store)) : store;
  return storedSource(source, kept, present({ offline, index, limits }));
}

/** What the kind of source that the name asks for needs to know. */
async function sourceOptions(name: string, options: EnvironmentSourceOptions): Promise<SourceOptions> {
  const { store, offline, index, limits, sandbox, standardInput, ...forRegistry } = options;
  const reading = present({ limits, sandbox });
  switch (kindOfSource(name)) {
    case "local":
      return { ...reading, ...present({ standardInput }) };
    case "engine": {
      const { env, homeDirectory, uid, systemDirectory } = options;
      const engineSocket = await engineSocketFromEnvironment({ env, homeDirectory, uid, systemDirectory });
      return { ...reading, engineSocket };
    }
    case "registry":
      return { ...(await registryOptions(forRegistry)), ...present({ limits }) };
  }
}

async function registryOptions(options: EnvironmentOptions & FurtherRegistryOptions): Promise<RegistryOptions> {
  const { credentials, network, foreignLayers, connectionsPerBlob, strict, ...environment } = options;
  const configured = await registryFromEnvironment(environment);
  return { ...configured, ...present({ credentials, network, foreignLayers, connectionsPerBlob, strict }) };
}

/** The parts of a machine that tell where its engine is. */
export type EngineMachine = Pick<Machine, "env"> & Partial<Machine>;

/**
 * The Unix socket of this machine's engine: the one in `DOCKER_HOST`, or the first one of docker and podman that
 * exists.
 */
export async function engineSocketFromEnvironment(machine: EngineMachine): Promise<string> {
  checkOptions(machine, machineKinds, ["env"]);
  const { env } = machine;
  const { DOCKER_HOST: host = "", XDG_RUNTIME_DIR: runtimeDirectory = "" } = env;
  if (host !== "") return socketIn(host);
  const rootless = runtimeDirectory === "" ? [] : ["docker.sock", "podman/podman.sock"];
  const candidates = [
    defaultEngineSocket,
    ...rootless.map((name) => join(runtimeDirectory, name)),
    "/run/podman/podman.sock",
  ];
  for (const candidate of candidates) if (await isSocket(candidate)) return candidate;
  return defaultEngineSocket;
}

function socketIn(host: string): string {
  if (host.startsWith("unix:///")) return host.slice("unix://".length);
  throw new OciUnpackError(
    "INVALID_OPTION",
    `cannot reach the engine at DOCKER_HOST="${host}": it is not a Unix socket`,
    {
      hint: "set DOCKER_HOST=unix:///PATH, or push the image to a registry",
    },
  );
}

async function isSocket(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
