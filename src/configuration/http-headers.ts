import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { type AuthFile, parseAuthFile } from "./auth-file.ts";
import { readConfigFile, warnOfFile } from "./config-file.ts";
import { dockerConfigFile, type SettledMachine } from "./machine.ts";

/**
 * The `HttpHeaders` of docker's `config.json`, for `RegistryOptions.headers`.
 *
 * `User-Agent` is left out, as by docker. A header that cannot be sent is a warning, and so is `Authorization`, because
 * it would be sent to every registry.
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
    const where = file.locate("HttpHeaders", name);
    warnOfFile(options.onEvent, `cannot use "${path}": ${where} cannot be sent to every registry`);
  }
  return Object.fromEntries(headers);
}

/** The file; `undefined` if it cannot be used. That is reported when credentials are looked up in it. */
async function configFile(path: string, options: FetchOptions): Promise<AuthFile | undefined> {
  try {
    return parseAuthFile(path, (await readConfigFile(path, options)) ?? "", "config");
  } catch (error) {
    if (error instanceof OciUnpackError) return undefined;
    throw error;
  }
}

/**
 * Whether a header is valid (RFC 9110, sections 5.1 and 5.5). With other characters it could contain another header.
 */
export function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Whether a header belongs to the connection or is set by the client, so that a configuration must not set it. */
export function isReservedHeader(name: string): boolean {
  return reserved.has(name.toLowerCase());
}

const reserved = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "if-range",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
