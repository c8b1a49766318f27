import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { type AuthFile, parseAuthFile } from "./auth-file.ts";
import { readConfigFile, warnOfFile } from "./config-file.ts";
import { dockerConfigFile } from "./credential-places.ts";
import { isHeader, isReservedHeader } from "./headers.ts";
import type { SettledMachine } from "./machine.ts";

/**
 * The `HttpHeaders` of docker's `config.json`, for `RegistryOptions.headers`.
 *
 * `User-Agent` is left out, as docker leaves it out. One that cannot be sent is a warning, and so is `Authorization`:
 * it would go to every registry.
 */
export async function dockerHttpHeaders(
  machine: SettledMachine,
  options: FetchOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const path = dockerConfigFile(machine);
  const headers = new Map<string, string>();
  const file = await configFile(path, options);
  if (file === undefined) return {};
  for (const [name, value] of file.httpHeaders) {
    if (/^user-agent$/i.test(name)) continue;
    const isUsable = typeof value === "string" && isHeader(name, value) && !isReservedHeader(name);
    if (isUsable && !/^authorization$/i.test(name)) {
      headers.set(name, value);
      continue;
    }
    const place = file.place("HttpHeaders", name);
    warnOfFile(options.onEvent, `cannot use "${path}": ${place} cannot be sent to every registry`);
  }
  return Object.fromEntries(headers);
}

/** A file that cannot be read says nothing here: whoever looks for credentials in it hears of it. */
async function configFile(path: string, options: FetchOptions): Promise<AuthFile | undefined> {
  try {
    return parseAuthFile(path, (await readConfigFile(path, options)) ?? "", "config");
  } catch (error) {
    if (error instanceof OciUnpackError) return undefined;
    throw error;
  }
}
