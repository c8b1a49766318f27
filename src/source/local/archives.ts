import { unlessAborted } from "../../base/abort.ts";
import type { Files, OpenFiles } from "./files.ts";

/** Archives that are opened when their first byte is needed, once, and that stay open until this is disposed of. */
export class Archives implements AsyncDisposable {
  readonly #closing = new AbortController();
  readonly #opened: Promise<Files>[] = [];

  /** `open` is called once, if at all; its signal ends it when this is disposed of. */
  openedOnce(open: (signal: AbortSignal) => Promise<Files>): OpenFiles {
    let files: Promise<Files> | undefined;
    return (signal) => {
      files ??= this.#open(open);
      // Who waits may give up; another one may still want the same archive.
      return unlessAborted(files, signal);
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const opening of this.#opened.splice(0)) {
      const files = await opening.catch(() => undefined); // whoever waited for it was told
      await files?.[Symbol.asyncDispose]();
    }
  }

  #open(open: (signal: AbortSignal) => Promise<Files>): Promise<Files> {
    const files = open(this.#closing.signal);
    files.catch(() => {}); // it is nobody's unhandled rejection where all who waited have given up
    this.#opened.push(files);
    return files;
  }
}
