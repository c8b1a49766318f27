import type { Buffer } from "node:buffer";
import { TableRefused } from "./table-refused.ts";

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const open = { brace: 0x7b, bracket: 0x5b };
const close = { brace: 0x7d, bracket: 0x5d };

/** The longest that an item may be: a path and extended attributes at their limits. */
const mostItemBytes = 4 * 1024 * 1024;

/** How deep a table may be nested. */
const mostDepth = 8;

/**
 * The items of the member `entries` of a JSON object, parsed one by one, so that never more than one of them is in memory
 * as objects. The rest of the object, without those items, is `rest` when all of them have been taken.
 *
 * Throws `TableRefused` for what is not such an object.
 */
export class JsonItems implements Iterable<unknown> {
  readonly #bytes: Buffer;
  #rest: unknown;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The object's other members. */
  get rest(): unknown {
    return this.#rest;
  }

  /** Linear: each byte is looked at once, and each item parsed once. */
  *[Symbol.iterator](): Generator<unknown> {
    let depth = 0;
    let start = 0;
    let outside: string | undefined;
    let restFrom = 0;
    for (let at = 0; at < this.#bytes.length; at += 1) {
      const byte = this.#bytes[at];
      if (byte === open.brace || byte === open.bracket) {
        depth += 1;
        if (depth > mostDepth) throw new TableRefused("it is nested too deep");
        if (depth === 3) start = at;
        if (depth === 2) {
          const before = this.#text(restFrom, at + 1);
          // Linear: it is looked for at the end of a short text.
          if (outside !== undefined || !/"entries"\s*:\s*\[$/.test(before.slice(-100)))
            throw new TableRefused("it has more than its one list of entries");
          outside = before;
        }
      } else if (byte === close.brace || byte === close.bracket) {
        depth -= 1;
        if (depth === 2) yield this.#parsed(this.#text(start, at + 1));
        if (depth === 1) restFrom = at;
      } else if (depth === 2 && byte !== comma && !isSpace(byte)) {
        throw new TableRefused("it has an entry that is none");
      } else if (byte === quote) at = this.#endOfString(at);
    }
    this.#rest = this.#parsed((outside ?? "") + this.#text(restFrom, this.#bytes.length));
  }

  /** Where a string ends that begins at `start`. */
  #endOfString(start: number): number {
    for (let at = start + 1; at < this.#bytes.length; at += 1) {
      if (this.#bytes[at] === backslash) at += 1;
      else if (this.#bytes[at] === quote) return at;
    }
    throw new TableRefused("it ends in the middle of a text");
  }

  #text(start: number, end: number): string {
    if (end - start > mostItemBytes) throw new TableRefused("it has an entry that is too long");
    return this.#bytes.toString("utf8", start, end);
  }

  #parsed(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new TableRefused("it is not JSON");
    }
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
