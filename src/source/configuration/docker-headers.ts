import { OciUnpackError } from "../../errors.ts";
import type { FetchOptions } from "../source.ts";
import { parseAuthFile } from "./auth-file.ts";
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
  for (const [name, value] of await httpHeaders(path, options)) {
    if (/^user-agent$/i.test(name)) continue;
    const isUsable = typeof value === "string" && isHeader(name, value) && !isReservedHeader(name);
    if (isUsable && !/^authorization$/i.test(name)) headers.set(name, value);
    else warnOfFile(options.onEvent, `cannot use "${path}": HttpHeaders["${name}"] cannot be sent to every registry`);
  }
  return Object.fromEntries(headers);
}

/** A file that cannot be read says nothing here: whoever looks for credentials in it hears of it. */
async function httpHeaders(path: string, options: FetchOptions): Promise<ReadonlyMap<string, unknown>> {
  try {
    return parseAuthFile(path, (await readConfigFile(path, options)) ?? "", "config").httpHeaders;
  } catch (error) {
    if (error instanceof OciUnpackError) return new Map();
    throw error;
  }
}
