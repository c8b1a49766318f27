/** One way to authenticate that a server offers: `Bearer realm="…",service="…"` (RFC 9110, section 11.3). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** By their names in lower case. If a name occurs twice, the first one counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
// Linear: equals signs and white space do not occur in what is before them.
const token68 = /[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))/y;
const whiteSpace = /[ \t]*/y;
const separators = /[ \t,]*/y;
// Linear: white space ends where the equals sign is, or is missing.
const equals = /[ \t]*=[ \t]*/y;
// Linear: a backslash always begins a pair, so that each character can be matched in one way only.
const quoted = /"((?:[^"\\]|\\.)*)(?:"|$)/y;
/** Some servers write a URL without the quotes that it needs. */
const bare = /[^ \t,"]+/y;

/**
 * Parses `WWW-Authenticate`: one or several headers, each with one or several challenges.
 *
 * Commas separate both challenges and their parameters; what has an equals sign is a parameter. Invalid parts are
 * skipped, so that a malformed challenge does not hide the next one.
 */
export function parseChallenges(header: string | readonly string[] | undefined): Challenge[] {
  const text = typeof header === "string" ? header : (header ?? []).join(", ");
  const scanner = new Scanner(text);
  const challenges: Challenge[] = [];
  while (!scanner.isAtEnd) {
    scanner.take(separators);
    const scheme = scanner.take(token);
    if (scheme === undefined) scanner.skip();
    else challenges.push({ scheme: scheme.toLowerCase(), parameters: parametersAt(scanner) });
  }
  return challenges;
}

function parametersAt(scanner: Scanner): Map<string, string> {
  const parameters = new Map<string, string>();
  scanner.take(whiteSpace);
  // Negotiate and similar schemes have one base64 text instead of parameters.
  if (scanner.take(token68) !== undefined) return parameters;
  for (;;) {
    const start = scanner.position;
    scanner.take(separators);
    const name = scanner.take(token)?.toLowerCase();
    if (name === undefined || scanner.take(equals) === undefined) {
      scanner.position = start;
      return parameters;
    }
    const value = scanner.quotedString() ?? scanner.take(bare) ?? "";
    if (!parameters.has(name)) parameters.set(name, value);
  }
}

class Scanner {
  readonly #text: string;
  position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.position >= this.#text.length;
  }

  take(pattern: RegExp): string | undefined {
    return this.#match(pattern)?.[0];
  }

  quotedString(): string | undefined {
    return this.#match(quoted)?.[1]?.replace(/\\(.)/g, "$1");
  }

  skip(): void {
    this.position++;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.#text) ?? undefined;
    if (match !== undefined) this.position = pattern.lastIndex;
    return match;
  }
}
