import { Buffer } from "node:buffer";
import { Outlet, type SharedOutlet } from "./outlet.ts";
import { tell } from "./serve.ts";

/** How much text is sent at once. */
const textAtATime = 64 * 1024;

/** Sends values to the main thread, each as JSON on a line. */
export class JsonLineWriter {
  readonly #outlet: Outlet;
  #text = "";

  constructor(outlet: SharedOutlet) {
    this.#outlet = new Outlet(outlet, (bytes) => tell({ type: "bytes", bytes }));
  }

  readonly add = (value: object): void => {
    this.#text += `${JSON.stringify(value)}\n`;
    if (this.#text.length >= textAtATime) this.#flush();
  };

  end(): void {
    this.#flush();
    this.#outlet.end();
  }

  #flush(): void {
    this.#outlet.write(Buffer.from(this.#text));
    this.#text = "";
  }
}
