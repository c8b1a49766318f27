import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { Credential, EventListener, Limits, RegistryOptions, Source, SourceOptions } from "../index.ts";
import { refuseArchiveName } from "./archive-name.ts";
import type { ImageCommand, ImageWishes } from "./image-options.ts";
import { passwordFrom } from "./password.ts";
import { type Input, machineOf, type Surroundings } from "./surroundings.ts";
import { whereaboutsOf } from "./transports.ts";

/** What decides how the command talks to registries. */
export interface ConnectionBasis {
  readonly command: ImageCommand;
  readonly surroundings: Surroundings;
  readonly limits: Partial<Limits>;
  /** Replaces whatever is stored on this machine. */
  readonly credential: Credential | undefined;
  readonly onEvent: EventListener;
}

/** What this takes of the library. */
export type SourceLibrary = Pick<
  typeof Library,
  "sourceFor" | "registryFromEnvironment" | "engineSocketFromEnvironment" | "store" | "storedSource"
>;

/** Where the image comes from: what its name says, by way of a store if there is one. */
export async function openSource(basis: ConnectionBasis, library: SourceLibrary): Promise<Source> {
  const { image, store, isOffline: offline } = basis.command;
  const source = library.sourceFor(image, await sourceOptions(basis, library));
  return store === undefined ? source : library.storedSource(source, library.store(store), { offline });
}

/** The same while it is being opened, so that other things begin meanwhile; whoever awaits it learns of a failure. */
export function openingSource(
  basis: ConnectionBasis,
  library: SourceLibrary,
): AsyncDisposable & { readonly source: Promise<Source> } {
  const source = openSource(basis, library);
  const opened = source.catch(() => undefined);
  return { source, [Symbol.asyncDispose]: async () => (await opened)?.[Symbol.asyncDispose]() };
}

/** What the kind of source that the name asks for needs to know. */
async function sourceOptions(basis: ConnectionBasis, library: SourceLibrary): Promise<SourceOptions> {
  const { image, options } = basis.command;
  const { limits } = basis;
  const reading = present({ limits, sandbox: options.sandbox });
  const whereabouts = whereaboutsOf(image);
  if (whereabouts === "engine") {
    return { ...reading, engineSocket: await library.engineSocketFromEnvironment(machineOf(basis.surroundings)) };
  }
  // What is wrong with the configuration of registries is no obstacle where none is asked.
  if (whereabouts === "files") {
    return { ...reading, standardInput: bytesOf(basis.surroundings.input) };
  }
  refuseArchiveName(image);
  return await connection(basis, library.registryFromEnvironment);
}

/** How the command talks to registries: as its options say, and else as docker, podman and containerd would on this machine. */
async function connection(
  { command, surroundings, limits, credential, onEvent }: ConnectionBasis,
  environmentReader: SourceLibrary["registryFromEnvironment"],
): Promise<RegistryOptions> {
  const { environment, registry } = command.connection;
  const configured = await environmentReader({ ...machineOf(surroundings), ...environment, onEvent });
  const { manifestBytes } = limits;
  const { strict } = command.options;
  return { ...configured, ...registry, ...present({ credentials: credential, strict, manifestBytes }) };
}

/** The user that the command line names, with a password from standard input. */
export async function givenCredential(
  { username }: ImageWishes,
  { input }: Surroundings,
): Promise<Credential | undefined> {
  return username === undefined
    ? undefined
    : { username, password: await passwordFrom(input), origin: "the command line" };
}

/** Nothing is read before somebody asks for it. */
async function* bytesOf(input: Input): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}
