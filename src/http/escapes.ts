/** A text after some escapes were decoded, one character for each of its UTF-8 bytes. */
export interface Decoding {
  readonly text: string;
  /** Where each character begins in the original text, and where that ends. Absent from the original text itself. */
  readonly starts?: readonly number[];
}

/** A way to escape characters. */
interface Notation {
  readonly pattern: RegExp;
  /** The UTF-8 bytes that an escape stands for, as characters. */
  meaning(match: RegExpExecArray): string;
}

/** HTML's names for ASCII punctuation, all that may occur in a password. */
const named: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00a0",
  excl: "!",
  num: "#",
  dollar: "$",
  percnt: "%",
  lpar: "(",
  rpar: ")",
  ast: "*",
  plus: "+",
  comma: ",",
  period: ".",
  sol: "/",
  colon: ":",
  semi: ";",
  equals: "=",
  quest: "?",
  commat: "@",
  lsqb: "[",
  lbrack: "[",
  bsol: "\\",
  rsqb: "]",
  rbrack: "]",
  hat: "^",
  lowbar: "_",
  grave: "`",
  lcub: "{",
  lbrace: "{",
  verbar: "|",
  vert: "|",
  rcub: "}",
  rbrace: "}",
  hyphen: "-",
};

const controls: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t", b: "\b", f: "\f" };

// Linear: no pattern repeats something that it could give back.
const notations: readonly Notation[] = [
  // JSON, and what other languages add: \/ \u0041 \x41. Surrogate pairs come first.
  {
    pattern: /\\(?:u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})|u([0-9a-f]{4})|x([0-9a-f]{2})|([\s\S]))/gi,
    meaning: ([, high, low, unit, byte, letter = ""]) => {
      if (high !== undefined && low !== undefined) return utf8(String.fromCharCode(hex(high), hex(low)));
      if (unit !== undefined) return utf8(String.fromCharCode(hex(unit)));
      return byte === undefined ? (controls[letter] ?? letter) : utf8(String.fromCharCode(hex(byte)));
    },
  },
  // URLs.
  { pattern: /%([0-9a-f]{2})/gi, meaning: ([, byte = ""]) => String.fromCharCode(hex(byte)) },
  // Forms.
  { pattern: /\+/g, meaning: () => " " },
  // HTML.
  {
    pattern: /&(?:#x([0-9a-f]{1,6})|#([0-9]{1,7})|([a-z]{2,6}));?/gi,
    meaning: ([written, hexadecimal, decimal, name = ""]) => {
      const code = hexadecimal === undefined ? Number(decimal) : hex(hexadecimal);
      if (code <= 0x10ffff) return utf8(String.fromCodePoint(code));
      const known = name.toLowerCase();
      return Object.hasOwn(named, known) ? utf8(named[known] ?? "") : written;
    },
  },
];

/** How many notations may be nested: HTML of JSON of a URL. */
const deepest = 3;

/** A text, as UTF-8 bytes, and everything that decoding its escapes may make of it. The text itself comes first. */
export function decodingsOf(text: string): readonly Decoding[] {
  const bytes = utf8(text);
  const found = new Map<string, Decoding>([[bytes, { text: bytes }]]);
  let latest = [...found.values()];
  for (let depth = 0; depth < deepest; depth++) {
    const next = latest.flatMap((decoding) =>
      notations
        .filter(({ pattern }) => decoding.text.search(pattern) >= 0)
        .map((notation) => decoded(decoding, notation)),
    );
    latest = next.filter(({ text }) => !found.has(text));
    for (const decoding of latest) found.set(decoding.text, decoding);
  }
  return [...found.values()];
}

/** The UTF-8 bytes of a text, each as one character. */
export function utf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Where a character of a decoding begins in the original text. */
export function startOf({ starts }: Decoding, index: number): number {
  return starts?.[index] ?? index;
}

function decoded(decoding: Decoding, { pattern, meaning }: Notation): Decoding {
  const { text } = decoding;
  const pieces: string[] = [];
  const starts: number[] = [];
  let end = 0;
  const copy = (until: number) => {
    pieces.push(text.slice(end, until));
    for (; end < until; end++) starts.push(startOf(decoding, end));
  };
  for (const match of text.matchAll(pattern)) {
    copy(match.index);
    const meant = meaning(match);
    pieces.push(meant);
    for (let index = 0; index < meant.length; index++) starts.push(startOf(decoding, match.index));
    end = match.index + match[0].length;
  }
  copy(text.length);
  starts.push(startOf(decoding, text.length));
  return { text: pieces.join(""), starts };
}

function hex(digits: string): number {
  return Number.parseInt(digits, 16);
}
