import type { Defence } from "./defence.ts";

const refused = (what: string) =>
  ["blob/inflate", `${what} is refused, at once and where input comes byte by byte`] as const;

/** What keeps the decoder of deflate data, which is compiled to WebAssembly, within its memory and its time. */
export const inflaterDefences: readonly Defence[] = [
  {
    group: "H",
    what: "a search for a block ends where each bit may begin one",
    file: "inflate/find.ts",
    without: ["bit < end && sums < MOST_SUMS", "bit < end"],
    test: ["streams/ahead", "a search in which each bit may begin a block ends before the piece does"],
  },
  {
    group: "H",
    what: "a piece is taken for a block a number of times",
    file: "inflate/ahead.ts",
    without: ["attempts < MOST_ATTEMPTS && ", ""],
    test: ["streams/ahead", "where everything looks like a block, a thread gives up, and few pieces are tried"],
  },
  {
    group: "H",
    what: "and little is decoded of it in vain",
    file: "inflate/ahead.ts",
    without: [" && wastedSymbols < WASTED_SYMBOLS", ""],
    test: ["streams/ahead", "a thread gives up a piece of which much is decoded in vain"],
  },
  {
    group: "sandbox",
    what: "a match reaches back no further than the stream does",
    file: "inflate/fast.ts",
    without: ["if (distance > output - outputStart<Unit>()) {", "if (false) {"],
    test: refused("a distance beyond the first byte"),
  },
  {
    group: "sandbox",
    what: "also near the end of the input",
    file: "inflate/slow.ts",
    without: ["if (distance > output - outputStart<Unit>()) return TOO_FAR_BACK;", ""],
    test: refused("a distance beyond the first byte"),
  },
  {
    group: "sandbox",
    what: "lengths of codes are repeated no further than there are codes",
    file: "inflate/header.ts",
    without: ["if (read + repeats > codes) return WRONG_REPEAT;", ""],
    test: refused("a repeat beyond the last code"),
  },
  {
    group: "sandbox",
    what: "codes are no more than their bits can tell apart",
    file: "inflate/table.ts",
    without: ["if (unused < 0) return WRONG;", ""],
    test: refused("too many codes of literals"),
  },
];
