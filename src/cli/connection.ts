import { existsSync } from "node:fs";
import { present } from "../base/present.ts";
import type * as Library from "../index.ts";
import type { Credential, EventListener, Limits, Source } from "../index.ts";
import type { ImageCommand, ImageSettings } from "./image-options.ts";
import { type CommandInput, machineOf, type ProcessContext } from "./process-context.ts";
import { sourceKindOf } from "./source-kind.ts";
import { UsageError } from "./usage-error.ts";

/** Refuses the name of an archive that exists here: without its kind it would be taken for an image in a registry. */
function refuseArchiveName(image: string): void {
  // Linear: `\w` matches no full stop, so a match can only begin at one.
  if (!/\.(?:tar|tgz|tar\.\w+)$/.test(image) || !existsSync(image)) return;
  throw new UsageError(
    `cannot use "${image}" as the name of an image: it is a file here`,
    `docker-archive:${image} is what docker save wrote, oci-archive:${image} what skopeo and buildah write`,
  );
}

/** Refuses what skopeo has a name for and nothing here reads: it would be taken for an image in a registry. */
function refuseContainersStorage(image: string): void {
  const prefix = "containers-storage:";
  if (!image.startsWith(prefix)) return;
  const name = image.slice(prefix.length);
  throw new UsageError(
    `cannot use "${image}" as the name of an image: the storage of podman is not read`,
    `podman system service, then docker-daemon:${name}; or podman save -o FILE ${name}, then docker-archive:FILE`,
  );
}

/** Refuses an archive that would come from where the password comes. */
function refuseSecondInput(image: string): void {
  if (!/^(?:oci|docker)-archive:-(?:$|:)/.test(image)) return;
  throw new UsageError(
    `cannot read "${image}": standard input has the password (--password-stdin)`,
    "write the archive to a file, and name that; an archive itself needs no password",
  );
}

/** What the source of an image is made from. */
interface ConnectionContext {
  readonly command: ImageCommand;
  readonly context: ProcessContext;
  readonly limits: Partial<Limits>;
  /** Used instead of the logins on this machine. */
  readonly credential: Credential | undefined;
  readonly onEvent: EventListener;
}

/** The function of the library that is used here. */
export type SourceLibrary = Pick<typeof Library, "sourceFromEnvironment">;

/** The source for the image, with a store if there is one. */
export async function openSource(
  { command, context, limits, credential, onEvent }: ConnectionContext,
  library: SourceLibrary,
): Promise<Source> {
  const { image, store, isOffline: offline, hasIndexes: index, options } = command;
  const { environment, registry } = command.connection;
  if (credential !== undefined) refuseSecondInput(image);
  if (sourceKindOf(image) === "registry") {
    refuseArchiveName(image);
    refuseContainersStorage(image);
  }
  return await library.sourceFromEnvironment(image, {
    ...machineOf(context),
    ...environment,
    ...registry,
    ...present({ credentials: credential, strict: options.strict, sandbox: options.sandbox, store }),
    limits,
    offline,
    index,
    standardInput: bytesOf(context.input),
    onEvent,
  });
}

/** The source for the image as a promise, so that other work begins while it is being opened. */
export function openingSource(
  connection: ConnectionContext,
  library: SourceLibrary,
): AsyncDisposable & { readonly source: Promise<Source> } {
  const source = openSource(connection, library);
  const opened = source.catch(() => undefined);
  return { source, [Symbol.asyncDispose]: async () => (await opened)?.[Symbol.asyncDispose]() };
}

/** The user in the command line, with a password from standard input. */
export async function givenCredential(
  { username }: ImageSettings,
  { input }: ProcessContext,
): Promise<Credential | undefined> {
  return username === undefined
    ? undefined
    : { username, password: await passwordFrom(input), origin: "the command line" };
}

/** The bytes of standard input. Nothing is read before they are needed. */
async function* bytesOf(input: CommandInput): AsyncGenerator<Uint8Array> {
  for await (const chunk of input) yield typeof chunk === "string" ? Buffer.from(chunk) : chunk;
}

const longestPassword = 64 * 1024;

const pipeIt = "pipe it, from a file that has nothing else: … -u NAME --password-stdin … < FILE";

/** Reads a password: all of standard input, without the line end that `echo` adds. */
export async function passwordFrom(input: CommandInput): Promise<string> {
  if (input.isTTY) {
    throw new UsageError("cannot read a password: standard input is a terminal, which would show it", pipeIt);
  }
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let password = "";
  for await (const chunk of input) {
    password += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    if (password.length > longestPassword) {
      throw new UsageError(
        `cannot read a password: standard input is longer than ${longestPassword} characters`,
        pipeIt,
      );
    }
  }
  password = password.replace(/\r?\n$/, "");
  if (password === "") throw new UsageError("cannot read a password: standard input is empty", pipeIt);
  return password;
}
