/**
 * Domains whose subdomains belong to different customers, or to different users of a cluster, and which are not in the
 * Public Suffix List, or only in part.
 */
const shared = [
  "aliyuncs.com",
  "amazonaws.com",
  "amazonaws.com.cn",
  "appdomain.cloud",
  "azure.com",
  "azurecontainerapps.io",
  "azurecr.cn",
  "azurecr.io",
  "azurecr.us",
  "b-cdn.net",
  "backblazeb2.com",
  "cloudflarestorage.com",
  "cluster.local",
  "compute.internal",
  "devtunnels.ms",
  "ec2.internal",
  "exo.io",
  "fastly.net",
  "github.dev",
  "googleusercontent.com",
  "jfrog.io",
  "koyeb.app",
  "loca.lt",
  "myhuaweicloud.com",
  "myqcloud.com",
  "nip.io",
  "on.aws",
  "openshiftapps.com",
  "oraclecloud.com",
  "ovh.net",
  "pkg.dev",
  "scw.cloud",
  "sslip.io",
  "tencentcloudcr.com",
  "traefik.me",
  "volces.com",
  "wasabisys.com",
  "windows.net",
  "xip.io",
  "your-server.de",
];

/**
 * The registered domain of a host, by the Public Suffix List with its private part: all of its hosts belong to one
 * owner.
 *
 * `undefined` for an address, for a bare suffix, and for domains whose subdomains belong to different owners.
 */
export async function registrableDomain(hostname: string): Promise<string | undefined> {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (shared.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))) return undefined;
  // Loaded only when it is needed, because reading the list takes long: few registries have a token server on another
  // host.
  const { getDomain } = await import("tldts");
  return getDomain(name, { allowPrivateDomains: true }) ?? undefined;
}
