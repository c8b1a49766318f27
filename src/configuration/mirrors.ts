import type { FetchOptions } from "../base/events.ts";
import { present } from "../base/present.ts";
import type { TlsFor, TlsMaterial } from "../http/options.ts";
import type { Endpoint, EndpointQuery, EndpointsFor } from "../registry/options.ts";
import { isDockerHub, type PlainHttp, registryBaseUrl } from "../registry/registry-name.ts";
import { readHostsDirectory } from "./hosts-directory.ts";
import { type ConfiguredHost, theRegistryItself } from "./hosts-toml.ts";
import { type ImageLocation, locationsOf } from "./image-names.ts";
import { emptyRegistriesConf, type RegistriesConf } from "./registries-conf.ts";
import { combinedTls, readTlsMaterial, type SharedTls, sharedTls } from "./tls-files.ts";

/** This machine's configuration of mirrors, and options of the user for hosts. */
export interface MirrorOptions {
  /** podman's configuration. */
  readonly registriesConf?: RegistriesConf | undefined;
  /** containerd's directory, such as `/etc/containerd/certs.d`. It is read when a registry's endpoints are needed. */
  readonly hostsDirectory?: string | undefined;
  /** As in `RegistryOptions`, for the registry itself, not for its mirrors. */
  readonly plainHttp?: PlainHttp;
  /** Finds further TLS material for a host. */
  readonly tls?: TlsFor | undefined;
  /** TLS material for the registry itself, not for its mirrors. */
  readonly registryTls?: TlsMaterial | undefined;
  /** Whether Node trusts additional authorities. Then a registry on loopback may use TLS with one of them. */
  readonly hasExtraAuthorities?: boolean;
  /** Default: one of its own. */
  readonly shared?: SharedTls | undefined;
}

/**
 * Finds the endpoints for an image, in order, by the configurations of podman and containerd together.
 *
 * podman's says under which names the image can be found; containerd's says which hosts to ask for the registry in each
 * of these names. The registry itself comes last, unless the files exclude it.
 */
export function mirrors(options: MirrorOptions): EndpointsFor {
  const { registriesConf = emptyRegistriesConf, hostsDirectory, shared = sharedTls() } = options;
  return async (query, fetchOptions) => {
    const endpoints: Endpoint[] = [];
    for (const location of locationsOf(registriesConf, query)) {
      const found = hostsDirectory && (await readHostsDirectory(hostsDirectory, location.host, fetchOptions));
      const { hosts = [theRegistryItself], origin = location.origin } = found || {};
      for (const host of hosts) {
        endpoints.push(...(await endpointsOf(host, location, origin, { ...options, query, shared, fetchOptions })));
      }
    }
    return endpoints;
  };
}

interface MirrorContext extends MirrorOptions {
  readonly query: EndpointQuery;
  readonly shared: SharedTls;
  readonly fetchOptions: FetchOptions | undefined;
}

async function endpointsOf(
  host: ConfiguredHost,
  location: ImageLocation,
  origin: string | undefined,
  context: MirrorContext,
): Promise<readonly Endpoint[]> {
  const common = present({
    repository: location.repository === context.query.repository ? undefined : location.repository,
    resolvesTags: location.resolvesTags && host.resolves,
    servesDigests: location.servesDigests && host.pulls,
    headers: Object.keys(host.headers).length > 0 ? host.headers : undefined,
    connectMilliseconds: host.dialTimeoutMilliseconds,
    origin,
  });
  const addresses = await addressesOf(host, location, context);
  return addresses.map((address) => ({
    ...common,
    ...address,
    // A mirror has to be told of which registry the image is.
    ...(!isHostOf(address.baseUrl, location.host) && { namespace: location.host }),
  }));
}

type Address = Pick<Endpoint, "baseUrl" | "tls">;

/**
 * One address; for an insecure registry two, with TLS and any certificate, and without TLS. The likelier one is first.
 */
async function addressesOf(
  host: ConfiguredHost,
  location: ImageLocation,
  context: MirrorContext,
): Promise<readonly Address[]> {
  const { query, plainHttp, shared } = context;
  const isItself = host.baseUrl === undefined ? location.host === query.host : isHostOf(host.baseUrl, query.host);
  const name = host.baseUrl === undefined ? location.host : new URL(host.baseUrl).host;
  const tls = await tlsOf(host, name, isItself, context);
  const address = async (baseUrl: string, material = tls): Promise<Address> =>
    material === undefined ? { baseUrl } : { baseUrl, tls: await shared(material) };

  if (host.baseUrl !== undefined) return [await address(host.baseUrl)];
  const own = await address(registryBaseUrl(name, isItself ? plainHttp : undefined, tls));
  if (!location.insecure) {
    const maySpeakTls =
      context.hasExtraAuthorities === true && plainHttp === undefined && own.baseUrl.startsWith("http:");
    return maySpeakTls ? [await address(registryBaseUrl(name, false)), own] : [own];
  }
  const either = [
    await address(registryBaseUrl(name, false), { ...tls, insecureSkipVerify: true }),
    await address(registryBaseUrl(name, true)),
  ];
  return own.baseUrl.startsWith("http:") ? either.reverse() : either;
}

async function tlsOf(
  host: ConfiguredHost,
  name: string,
  isItself: boolean,
  context: MirrorContext,
): Promise<TlsMaterial | undefined> {
  const { registryTls, tls, fetchOptions } = context;
  const fromFiles = { ...(await readTlsMaterial(host, fetchOptions)), insecureSkipVerify: host.skipVerify };
  const said = combinedTls(isItself ? registryTls : undefined, fromFiles);
  return combinedTls(said, await tls?.(name, fetchOptions));
}

/** Whether a URL is that of the registry with this name in references. */
function isHostOf(baseUrl: string, registry: string): boolean {
  const { protocol, host } = new URL(baseUrl);
  const own = new URL(`${protocol}//${registry}`).host;
  return host === own || (isDockerHub(host) && isDockerHub(own));
}
