import type { OutgoingHttpHeaders } from "node:http";
import type { CallContext } from "../base/call-context.ts";
import { RequestFailure } from "../http/request-failure.ts";
import { type Reference, registryHost } from "../oci/reference.ts";
import type { Client } from "./client.ts";
import type { Endpoint, RegistryOptions } from "./options.ts";
import type { Repository } from "./repository.ts";

/** The repositories where an image is requested, in order: those of the configured mirrors, and the registry's. */
export async function repositoriesOf(
  reference: Reference,
  client: Client,
  options: RegistryOptions,
  context: CallContext,
): Promise<readonly Repository[]> {
  const { registry: host, path, ...tagAndDigest } = reference;
  const query = { host, repository: path, ...tagAndDigest };
  const configured = await options.endpoints?.(query, context.fetchOptions);
  const endpoints = configured ?? [await itself(reference, client, context)];
  if (configured !== undefined) {
    const names = configured.map(described);
    context.decided(
      "endpoint",
      `${reference.registry}/${reference.path} is asked for at ${names.join(", ") || "no place"}`,
    );
  }
  return Promise.all(endpoints.map((endpoint) => repository(endpoint, reference, client, options, context)));
}

/** An endpoint for `--explain`: what it may be asked for, and the file that says so. */
function described({ baseUrl, origin, resolvesTags, servesDigests }: Endpoint): string {
  const terms = [
    ...(resolvesTags ? [] : ["never what a tag means"]),
    ...(servesDigests ? [] : ["tags only"]),
    ...(origin === undefined ? [] : [origin]),
  ];
  return terms.length === 0 ? baseUrl : `${baseUrl} (${terms.join("; ")})`;
}

async function itself(reference: Reference, client: Client, context: CallContext): Promise<Endpoint> {
  const host = registryHost(reference);
  const scheme = await client.tlsPolicy.scheme(host, context);
  return { baseUrl: `${scheme}://${host}/v2`, resolvesTags: true, servesDigests: true };
}

async function repository(
  endpoint: Endpoint,
  reference: Reference,
  client: Client,
  options: RegistryOptions,
  context: CallContext,
): Promise<Repository> {
  const base = parsedBase(endpoint.baseUrl);
  const isOrigin = base.host === new URL(`${base.protocol}//${registryHost(reference)}`).host;
  return {
    endpoint,
    base,
    path: endpoint.repository ?? reference.path,
    credentialHost: isOrigin ? reference.registry : base.host,
    isOrigin,
    reach: client.policy.named(),
    headers: outgoing({ ...(isOrigin ? options.headers : {}), ...endpoint.headers }),
    tls: endpoint.tls ?? (await client.tlsPolicy.tls(base.host, "registry", context)),
  };
}

function outgoing(headers: Readonly<Record<string, string | readonly string[]>>): OutgoingHttpHeaders {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : [...value]]),
  );
}

function parsedBase(text: string): URL {
  const base = URL.canParse(text) ? new URL(text) : undefined;
  if (base?.protocol === "https:" || base?.protocol === "http:") return base;
  throw new RequestFailure("INVALID_OPTION", `the endpoint "${text}" is not an http or https URL`);
}

/**
 * Asks one repository after the other until one has what is wanted. If all fail, the last one's failure is
 * thrown, which also says why the others failed.
 */
export async function firstAnswerOf<T>(
  repositories: readonly Repository[],
  client: Client,
  context: CallContext,
  attempt: (repository: Repository, isLast: boolean) => Promise<T>,
): Promise<T> {
  const failures: RequestFailure[] = [];
  for (const [index, repository] of repositories.entries()) {
    const isLast = index === repositories.length - 1;
    try {
      const known = isLast ? undefined : (client.heldBack(repository.base) ?? client.withoutTls(repository.base));
      if (known !== undefined) throw known;
      return await attempt(repository, isLast);
    } catch (problem) {
      if (!(problem instanceof RequestFailure)) throw problem;
      if (isLast) throw withMirrors(problem, failures);
      client.failedAt(repository.base, problem);
      failures.push(problem);
      context.decided("endpoint", `${repository.base.host} is skipped: ${problem.message}`);
    }
  }
  throw new RequestFailure("NOT_FOUND", "no endpoint is configured that may be asked for it", {
    hint: "allow one to resolve tags, or pull by digest",
  });
}

/**
 * The last failure with the reasons of those before it, each once: an insecure registry is asked with TLS and without.
 */
export function withMirrors(last: RequestFailure, before: readonly RequestFailure[]): RequestFailure {
  const others = before.filter(({ message }) => message !== last.message);
  const isItself = ({ details: { host } }: RequestFailure) => host !== undefined && host === last.details.host;
  const parts = [
    ["mirrors failed too", others.filter((failure) => !isItself(failure))],
    ["before that", others.filter(isItself)],
  ] as const;
  const told = parts.flatMap(([what, failures]) => {
    return failures.length === 0
      ? []
      : [` (${what}: ${[...new Set(failures.map(({ message }) => message))].join("; ")})`];
  });
  return told.length === 0 ? last : new RequestFailure(last.code, last.message + told.join(""), last.details);
}
