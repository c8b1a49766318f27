import { Buffer } from "node:buffer";
import { StringDecoder } from "node:string_decoder";

/** Reads values that a `JsonLineWriter` sends, on the main thread. */
export class JsonLineReader<Value> {
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";

  /** The values that are complete with these bytes. */
  take(bytes: Uint8Array): readonly Value[] {
    const lines = this.#decoder.write(Buffer.from(bytes)).split("\n");
    lines[0] = this.#rest + (lines[0] ?? "");
    this.#rest = lines.pop() ?? "";
    return lines.map((line) => JSON.parse(line));
  }
}
