import type { Credential, dockerCredentials, Limits, RegistryOptions } from "../index.ts";
import { passwordFrom } from "./password.ts";
import type { Surroundings } from "./surroundings.ts";
import type { UnpackCommand } from "./unpack-options.ts";

/** How the command talks to registries: as its options say, and else as docker and podman would on this machine. */
export async function connection(
  command: UnpackCommand,
  { manifestBytes }: Partial<Limits>,
  surroundings: Surroundings,
  storedCredentials: typeof dockerCredentials,
): Promise<RegistryOptions> {
  return {
    credentials:
      (await givenCredential(command, surroundings)) ??
      storedCredentials({
        ...surroundings,
        ...(command.authFile === undefined ? {} : { authFile: command.authFile }),
      }),
    ...(command.plainHttp ? { plainHttp: true } : {}),
    ...(command.options.strict ? { strict: true } : {}),
    ...(manifestBytes === undefined ? {} : { manifestBytes }),
  };
}

async function givenCredential({ username }: UnpackCommand, { input }: Surroundings): Promise<Credential | undefined> {
  return username === undefined ? undefined : { username, password: await passwordFrom(input) };
}
