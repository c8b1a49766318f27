import type { FetchOptions } from "../base/events.ts";
import { readConfigFile, warnOfFile } from "./config-file.ts";
import type { Environment } from "./machine.ts";

/**
 * The authorities of `NODE_EXTRA_CA_CERTS`, where Node would forget them.
 *
 * Node trusts them by itself, but whoever adds an authority replaces all that Node trusts. Since Node 22.15 it can be
 * asked what that was; before, the file must be read once more.
 */
export async function extraAuthorities(env: Environment, options: FetchOptions): Promise<readonly string[]> {
  const path = env.NODE_EXTRA_CA_CERTS;
  if (!path || (await import("../http/tls-context.ts")).tellsAuthorities()) return [];
  try {
    const text = await readConfigFile(path, options);
    return text?.includes("-----BEGIN ") ? [text] : [];
  } catch {
    // Node itself goes on without the file, and so do we.
    warnOfFile(options.onEvent, `"${path}" (NODE_EXTRA_CA_CERTS) cannot be read`);
    return [];
  }
}
