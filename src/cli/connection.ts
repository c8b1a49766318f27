import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { Credential, EventListener, Limits, Source } from "../index.ts";
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
export type SourceLibrary = Pick<typeof Library, "sourceFromEnvironment">;

/** Where the image comes from: what its name says, by way of a store if there is one. */
export async function openSource(
  { command, surroundings, limits, credential, onEvent }: ConnectionBasis,
  library: SourceLibrary,
): Promise<Source> {
  const { image, store, isOffline: offline, options } = command;
  const { environment, registry } = command.connection;
  if (whereaboutsOf(image) === "registry") refuseArchiveName(image);
  return await library.sourceFromEnvironment(image, {
    ...machineOf(surroundings),
    ...environment,
    ...registry,
    ...present({ credentials: credential, strict: options.strict, sandbox: options.sandbox, store }),
    limits,
    offline,
    standardInput: bytesOf(surroundings.input),
    onEvent,
  });
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
