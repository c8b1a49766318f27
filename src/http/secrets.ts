import type { OciUnpackEvent } from "../base/events.ts";
import { present } from "../base/present.ts";
import { errorCode } from "../base/system-error.ts";
import { type Decoding, decodingsOf, startOf, utf8 } from "./escapes.ts";

/** Everything shorter is too common to be blotted out, and too weak to be a secret. */
const shortestSecret = 6;
/** Tokens come and go. What has not been used for so many others is forgotten. */
const mostSecrets = 100;
/** Far longer than any text that is shown. */
const longestText = 4096;
/** The same for a link: what a signed one consists of is cut. */
const longestPath = 1000;

/**
 * Knows a client's secrets, so that none of them gets into an event or an error by way of what a server repeats.
 *
 * All that a client tells passes here last, when nothing is decoded any more: a server may write a password with every
 * escape that JSON, URLs and HTML have, and its bytes may stand in base64 beside others.
 */
export class Secrets {
  /** Each with the forms in which it is looked for, in lower case. */
  readonly #known = new Map<string, readonly string[]>();

  add(...secrets: readonly string[]): void {
    for (const secret of secrets) {
      if (secret.length < shortestSecret) continue;
      const forms = this.#known.get(secret) ?? formsOf(secret);
      this.#known.delete(secret);
      this.#known.set(secret, forms);
    }
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= mostSecrets) break;
      this.#known.delete(oldest);
    }
  }

  /** A text, cut where nobody would read on, without them, and without what is secret in the URL that it came from. */
  redacted(text: string, source?: URL): string {
    const further = source === undefined ? [] : secretsIn(source).map((secret) => utf8(secret).toLowerCase());
    const forms = [...further, ...[...this.#known.values()].flat()];
    const shown = text.slice(0, longestText);
    return forms.length === 0 ? shown : blotted(shown, forms);
  }

  /** The beginning of what a server says, cut where no secret is cut in two. */
  excerpt(text: string, characters: number): string {
    return this.redacted(text).slice(0, characters);
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
    const path = this.redacted(url.pathname).slice(0, longestPath);
    return this.redacted(`${url.protocol}//${url.host}${path}${query}`);
  }

  /** An event without them, whatever it repeats. */
  cleansed(event: OciUnpackEvent): OciUnpackEvent {
    switch (event.type) {
      case "request":
        return { ...event, url: this.redacted(event.url) };
      case "authenticate":
        return { ...event, realm: this.redacted(event.realm) };
      case "retrying":
        return { ...event, url: this.redacted(event.url), reason: this.redacted(event.reason) };
      case "decision":
      case "warning":
        return { ...event, message: this.redacted(event.message) };
      default:
        return event;
    }
  }

  /** What led to an error, without them: the same where there are none in it. */
  cleansedCause(cause: unknown, depth = 0): unknown {
    if (!(cause instanceof Error) || depth > 4) return cause instanceof Error ? undefined : cause;
    const [message, stack] = [this.redacted(cause.message), this.redacted(cause.stack ?? "")];
    const inner = this.cleansedCause(cause.cause, depth + 1);
    if (message === cause.message && stack === (cause.stack ?? "").slice(0, longestText) && inner === cause.cause)
      return cause;
    const code = errorCode(cause);
    return Object.assign(new Error(message, { cause: inner }), present({ name: cause.name, stack, code }));
  }
}

/** As it is, and as its bytes stand in base64 behind none, one or two others of a group of three. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  const encoded = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // The characters that other bytes have no part in.
    const own = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [...new Set([utf8(secret), ...encoded].map((form) => form.toLowerCase()))];
}

/** A text without what any of its decodings has of these forms, in upper or lower case. */
function blotted(text: string, forms: readonly string[]): string {
  const found = decodingsOf(text).flatMap((decoding) => placesIn(decoding, forms));
  if (found.length === 0) return text;
  const written = utf8(text);
  let clean = "";
  let end = 0;
  for (const [from, to] of found.sort(([one], [other]) => one - other)) {
    if (from >= end) clean += `${written.slice(end, from)}[secret]`;
    end = Math.max(end, to);
  }
  return Buffer.from(clean + written.slice(end), "latin1").toString("utf8");
}

function placesIn(decoding: Decoding, forms: readonly string[]): (readonly [from: number, to: number])[] {
  const lower = decoding.text.toLowerCase();
  const places: (readonly [number, number])[] = [];
  for (const form of forms) {
    for (let at = lower.indexOf(form); at >= 0; at = lower.indexOf(form, at + form.length)) {
      places.push([startOf(decoding, at), startOf(decoding, at + form.length)]);
    }
  }
  return places;
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
