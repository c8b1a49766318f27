import type { Credential, EventListener, Limits, RegistryOptions, registryFromEnvironment } from "../index.ts";
import { passwordFrom } from "./password.ts";
import type { Surroundings } from "./surroundings.ts";
import type { UnpackCommand } from "./unpack-options.ts";

/** What decides how the command talks to registries. */
export interface ConnectionBasis {
  readonly command: UnpackCommand;
  readonly surroundings: Surroundings;
  readonly limits: Partial<Limits>;
  /** Replaces whatever is stored on this machine. */
  readonly credential: Credential | undefined;
  readonly onEvent: EventListener;
}

/** How the command talks to registries: as its options say, and else as docker, podman and containerd would on this machine. */
export async function connection(
  { command, surroundings, limits, credential, onEvent }: ConnectionBasis,
  environmentReader: typeof registryFromEnvironment,
): Promise<RegistryOptions> {
  const configured = await environmentReader({ ...surroundings, ...command.connection, onEvent });
  return {
    ...configured,
    ...(credential === undefined ? {} : { credentials: credential }),
    ...(command.options.strict ? { strict: true } : {}),
    ...(limits.manifestBytes === undefined ? {} : { manifestBytes: limits.manifestBytes }),
  };
}

/** The user that the command line names, with a password from standard input. */
export async function givenCredential(
  { username }: UnpackCommand,
  { input }: Surroundings,
): Promise<Credential | undefined> {
  return username === undefined ? undefined : { username, password: await passwordFrom(input) };
}
