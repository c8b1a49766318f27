import type { OciUnpackEvent } from "../base/events.ts";
import { present } from "../base/present.ts";
import { errorCode } from "../base/system-error.ts";
import { type Decoding, decodingsOf, startOf, utf8 } from "./escapes.ts";

/** Shorter texts are not removed: they occur everywhere by chance, and are too weak to be secrets. */
const shortestSecret = 6;
/** How many secrets are remembered. Tokens are renewed; the one that was used longest ago is forgotten first. */
const mostSecrets = 100;
/** Far longer than any text that is shown to people. */
const longestText = 4096;
/** How much of a URL's path is shown. The path of a signed link may be long. */
const longestPath = 1000;

/**
 * Knows the secrets of a client and removes them from events and errors: a server may repeat them in what it answers.
 *
 * Every text is cleaned last, when nothing of it is decoded any more. A server may write a password with all escapes of
 * JSON, URLs and HTML, and in base64 with other bytes around it.
 */
export class Secrets {
  /** Each secret with the forms of it that are searched for, in lower case. */
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

  /** The beginning of a text without the secrets, and without what is secret in the URL of its `source`. */
  redacted(text: string, source?: URL): string {
    const further = source === undefined ? [] : secretsIn(source).map((secret) => utf8(secret).toLowerCase());
    const forms = [...this.#known.values(), further].flat();
    const shown = text.slice(0, longestText);
    return forms.length === 0 ? shown : blotted(shown, forms);
  }

  /** The first characters of what a server says, without secrets: they are removed before the text is cut. */
  excerpt(text: string, characters: number): string {
    return this.redacted(text).slice(0, characters);
  }

  /**
   * A URL that may be shown: without user and password, and without the values of its query, which in a signed URL are
   * secret. Only the parameters that this client writes itself are shown with their values.
   */
  printable(url: URL): string {
    const shown = [...url.searchParams].map(([name, value]) =>
      ownParameters.has(name) ? `${name}=${value}` : `${name}=[secret]`,
    );
    const query = shown.length === 0 ? "" : `?${shown.join("&")}`;
    const path = this.redacted(url.pathname).slice(0, longestPath);
    return this.redacted(`${url.protocol}//${url.host}${path}${query}`);
  }

  /** The event without secrets. */
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

  /** The cause of an error without secrets; the same object if there are none in it. */
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

/** The forms of a secret that are searched for: itself, and its base64 when none, one or two bytes stand before it. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  const encoded = [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Only the characters that depend on the secret alone.
    const own = text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return [own, own.replaceAll("+", "-").replaceAll("/", "_")];
  });
  return [...new Set([utf8(secret), ...encoded].map((form) => form.toLowerCase()))];
}

/** Replaces every part of a text that means one of these forms in one of its decodings, in upper or lower case. */
function blotted(text: string, forms: readonly string[]): string {
  const found = decodingsOf(text).flatMap((decoding) => rangesIn(decoding, forms));
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

function rangesIn(decoding: Decoding, forms: readonly string[]): (readonly [from: number, to: number])[] {
  const lower = decoding.text.toLowerCase();
  const ranges: (readonly [number, number])[] = [];
  for (const form of forms) {
    for (let at = lower.indexOf(form); at >= 0; at = lower.indexOf(form, at + form.length)) {
      ranges.push([startOf(decoding, at), startOf(decoding, at + form.length)]);
    }
  }
  return ranges;
}

/** The values in a URL's query, as they are written and decoded. */
function secretsIn(url: URL): string[] {
  const raw = url.search
    .slice(1)
    .split("&")
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
  return [...raw, ...url.searchParams.values()].filter(({ length }) => length >= shortestSecret);
}

const ownParameters = new Set(["service", "scope", "client_id", "ns"]);
