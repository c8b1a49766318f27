import type { AcceptedImage, Operation } from "../operation/operation.ts";
import type { UnpackResult } from "../operation/options.ts";
import { Pipeline } from "../worker/pipeline.ts";
import type { Applied } from "./apply-layers.ts";

/** Unpacks the layers of an image into an empty directory. */
export type Apply = (pipeline: Pipeline, staging: string) => Promise<Applied>;

/** What became of an image's layers. */
export type MadeRoot = Applied & Pick<UnpackResult, "kept">;

/** Makes a root filesystem in an empty directory. */
export interface RootMaker extends AsyncDisposable {
  /** Gets ready, now that the source is open and before anything is fetched. */
  begin(): Promise<void>;
  make(accepted: AcceptedImage, apply: Apply): Promise<MadeRoot>;
  /** Empties the directory, after a failure. */
  discard(): Promise<void>;
}

/** Makes it of the image's layers. */
export class DirectRoot implements RootMaker {
  readonly #operation: Operation;
  readonly #staging: string;
  readonly #pipeline: Pipeline;

  /** While the network is asked, the threads start. */
  constructor(operation: Operation, staging: string) {
    this.#operation = operation;
    this.#staging = staging;
    this.#pipeline = new Pipeline(operation.settings.apply.limits, "apply-worker", { runsOnce: true });
  }

  async begin(): Promise<void> {}

  /** When it is made, the threads end while its documents are written. */
  async make(_accepted: AcceptedImage, apply: Apply): Promise<MadeRoot> {
    const made = await apply(this.#pipeline, this.#staging);
    await this.#pipeline.retire();
    return made;
  }

  discard(): Promise<void> {
    return this.#pipeline.discard(this.#staging, this.#operation.settings.sandbox);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pipeline[Symbol.asyncDispose]();
  }
}
