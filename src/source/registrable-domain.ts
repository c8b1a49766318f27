/**
 * Second labels under which the two-letter domains of countries register names: `acme.co.uk`, `acme.com.au`.
 *
 * The Public Suffix List would know more of them, at 200 KiB that go stale; what is missing here only makes two hosts
 * strangers that could be siblings where a registry names a token server, and `allowHosts` can say so.
 */
const countrySecondLevels = new Set([
  "ac",
  "co",
  "com",
  "edu",
  "go",
  "gob",
  "gov",
  "gv",
  "mil",
  "ne",
  "net",
  "or",
  "org",
]);

/** Domains whose subdomains belong to different customers, so that siblings are strangers. */
const shared = [
  "aliyuncs.com",
  "amazonaws.com",
  "amazonaws.com.cn",
  "azurecr.io",
  "azurewebsites.net",
  "azure.com",
  "azure-api.net",
  "blogspot.com",
  "cloudapp.net",
  "cloudfront.net",
  "core.windows.net",
  "cloudflarestorage.com",
  "digitaloceanspaces.com",
  "appspot.com",
  "backblazeb2.com",
  "deno.dev",
  "duckdns.org",
  "dyndns.org",
  "firebaseapp.com",
  "fly.dev",
  "github.dev",
  "github.io",
  "githubusercontent.com",
  "gitlab.io",
  "herokuapp.com",
  "jfrog.io",
  "linodeobjects.com",
  "loca.lt",
  "netlify.app",
  "ngrok-free.app",
  "ngrok.app",
  "ngrok.dev",
  "ngrok.io",
  "nip.io",
  "on.aws",
  "onrender.com",
  "pages.dev",
  "pkg.dev",
  "r2.dev",
  "run.app",
  "sslip.io",
  "trafficmanager.net",
  "ts.net",
  "up.railway.app",
  "vercel.app",
  "vultrobjects.com",
  "wasabisys.com",
  "web.app",
  "windows.net",
  "workers.dev",
];

/** The domain that somebody registered and all of whose hosts are theirs; `undefined` for an address or a bare suffix. */
export function registrableDomain(hostname: string): string | undefined {
  const name = hostname.toLowerCase().replace(/\.$/, "");
  if (name.startsWith("[") || /^[\d.]+$/.test(name)) return undefined;
  const labels = name.split(".");
  const suffixLength = suffixLabels(name, labels);
  return labels.length > suffixLength ? labels.slice(-suffixLength - 1).join(".") : undefined;
}

function suffixLabels(name: string, labels: readonly string[]): number {
  // Regions stand between a customer's label and the provider's name, so nothing below a shared domain is siblings.
  if (shared.some((suffix) => name === suffix || name.endsWith(`.${suffix}`))) return labels.length - 1;
  const [second = "", top = ""] = labels.slice(-2);
  return top.length === 2 && countrySecondLevels.has(second) ? 2 : 1;
}
