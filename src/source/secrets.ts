/** Everything shorter is too common to be blotted out, and too weak to be a secret. */
const shortestSecret = 6;
/** Tokens come and go. What has not been used for so many others is forgotten. */
const mostSecrets = 300;

/** Knows a client's secrets, so that none of them gets into an event or an error by way of what a server repeats. */
export class Secrets {
  readonly #known = new Set<string>();

  add(...secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret.length < shortestSecret) continue;
      for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
        this.#known.delete(form);
        this.#known.add(form);
      }
    }
    for (const oldest of this.#known) {
      if (this.#known.size <= mostSecrets) break;
      this.#known.delete(oldest);
    }
  }

  /** A text without them, and without what is secret in the URL that it came from. */
  redacted(text: string, source?: URL): string {
    let clean = text;
    for (const secret of source === undefined ? [] : secretsIn(source)) clean = clean.replaceAll(secret, "[secret]");
    for (const secret of this.#known) clean = clean.replaceAll(secret, "[secret]");
    return clean;
  }

  /**
   * A URL as people may see it. What a signed URL's query says is a secret of its own, and so may be user and password;
   * of the query only what this client writes itself is shown.
   */
  printable(url: URL): string {
    const shown = [...url.searchParams].map(([name, value]) =>
      ownParameters.has(name) ? `${name}=${value}` : `${name}=[secret]`,
    );
    const query = shown.length === 0 ? "" : `?${shown.join("&")}`;
    return this.redacted(`${url.protocol}//${url.host}${url.pathname}${query}`);
  }
}

/** What a signed link's query says, as it stands there and as it means. */
function secretsIn(url: URL): string[] {
  const raw = url.search
    .slice(1)
    .split("&")
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [...raw, ...url.searchParams.values()].filter(({ length }) => length >= shortestSecret);
}

const ownParameters = new Set(["service", "scope", "client_id", "ns"]);
