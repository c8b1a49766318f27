import { OciUnpackError } from "../base/errors.ts";
import type { FetchOptions } from "../base/events.ts";
import { type AuthFile, parseAuthFile } from "./auth-file.ts";
import { readConfigFile, warnOfFile } from "./config-file.ts";
import { dockerConfigFile } from "./credential-files.ts";
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
    const where = file.locate("HttpHeaders", name);
    warnOfFile(options.onEvent, `cannot use "${path}": ${where} cannot be sent to every registry`);
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

/**
 * Tells whether a header can be sent as it stands (RFC 9110, sections 5.1 and 5.5). Anything else could smuggle in
 * another header.
 */
export function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Tells whether a header is the connection's business or the client's own, so that no configuration may set it. */
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
