import { Buffer } from "node:buffer";
import type { ByteSource } from "../tar/entry.ts";
import { TableRefused } from "./table-refused.ts";

/** What a line of tar-split tells: bytes of the archive, or that a file's data come here. */
const segment = 2;
const fileData = 1;

const newline = 0x0a;

/** The longest that a line may be: all that stands between the data of two files, in base64. */
const mostLineBytes = 4 * 1024 * 1024;

const zeros = new Uint8Array(1024 * 1024);

/**
 * An archive as tar-split describes it (github.com/vbatts/tar-split): lines of JSON with all bytes that are not the data
 * of files. The data are zeros here.
 *
 * Throws `TableRefused`, also where the archive would have more than `mostBytes`.
 */
export class TarSplit implements ByteSource {
  readonly #lines: ByteSource;
  readonly #mostBytes: number;
  #bytes = 0;
  /** What has come of lines that were not read. */
  #rest: Buffer = Buffer.alloc(0);
  /** How many bytes of data are to come before the next line. */
  #dataBytes = 0;

  constructor(lines: ByteSource, mostBytes: number) {
    this.#lines = lines;
    this.#mostBytes = mostBytes;
  }

  read(): Uint8Array | undefined {
    for (;;) {
      if (this.#dataBytes > 0) {
        const piece = zeros.subarray(0, this.#dataBytes);
        this.#dataBytes -= piece.length;
        return piece;
      }
      const line = this.#line();
      if (line === undefined) return undefined;
      const bytes = this.#read(line);
      if (bytes !== undefined) return bytes;
    }
  }

  /** The bytes of a segment. For anything else `undefined`. */
  #read(line: string): Uint8Array | undefined {
    const { type, payload, size } = parsed(line);
    if (type === fileData) this.#dataBytes = this.#counted(size ?? 0);
    if (type !== segment || typeof payload !== "string") return undefined;
    const bytes = Buffer.from(payload, "base64");
    this.#counted(bytes.length);
    return bytes.length === 0 ? undefined : bytes;
  }

  #counted(size: unknown): number {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      throw new TableRefused("its tar-split has a size that is none");
    this.#bytes += size;
    if (this.#bytes > this.#mostBytes) throw new TableRefused(`its archive has more than ${this.#mostBytes} bytes`);
    return size;
  }

  #line(): string | undefined {
    let end = this.#rest.indexOf(newline);
    const parts = [this.#rest];
    let length = this.#rest.length;
    while (end < 0) {
      const next = this.#lines.read();
      if (next === undefined) {
        if (length > 0) throw new TableRefused("its tar-split ends in the middle of a line");
        return undefined;
      }
      const at = next.indexOf(newline);
      if (at >= 0) end = length + at;
      length += next.length;
      if (at < 0 && length > mostLineBytes) throw new TableRefused("its tar-split has a line that is too long");
      parts.push(Buffer.from(next)); // a copy: the source may write to its memory again
    }
    const all = parts.length === 1 ? this.#rest : Buffer.concat(parts);
    this.#rest = all.subarray(end + 1);
    return all.toString("utf8", 0, end);
  }
}

function parsed(line: string): { readonly type?: unknown; readonly payload?: unknown; readonly size?: unknown } {
  try {
    const json: unknown = JSON.parse(line);
    if (typeof json === "object" && json !== null) return json;
  } catch {
    // Refused below.
  }
  throw new TableRefused("its tar-split has a line that is not JSON");
}
