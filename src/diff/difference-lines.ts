import { type ImageConfig, stepsOfLayers } from "../oci/config.ts";
import { JsonLineReader } from "../worker/json-line-reader.ts";
import type { ComparedEntry, ImageDifference } from "./difference.ts";

/** How long the instruction of a layer is told. Each difference has it, and there may be a hundred thousand. */
const longestInstruction = 4096;

/** Reads the differences that the comparing thread writes, each on a line, and says which instruction made them. */
export class DifferenceLines {
  readonly #instructions: { readonly first: Instructions; readonly second: Instructions };
  readonly #lines = new JsonLineReader<ImageDifference>();

  constructor(first: ImageConfig, second: ImageConfig) {
    this.#instructions = { first: instructionsOf(first), second: instructionsOf(second) };
  }

  /** The differences that are complete with these bytes. */
  take(bytes: Uint8Array): readonly ImageDifference[] {
    return this.#lines.take(bytes).map((difference) => this.#told(difference));
  }

  #told(difference: ImageDifference): ImageDifference {
    const { first, second } = this.#instructions;
    switch (difference.kind) {
      case "added":
        return { ...difference, second: made(difference.second, second) };
      case "removed":
        return { ...difference, first: made(difference.first, first) };
      case "changed":
        return { ...difference, first: made(difference.first, first), second: made(difference.second, second) };
    }
  }
}

/** The instruction of each layer, bottom first. */
type Instructions = readonly (string | undefined)[];

function instructionsOf(config: ImageConfig): Instructions {
  return stepsOfLayers(config).map(({ createdBy }) => createdBy && shortened(createdBy));
}

function shortened(text: string): string {
  return text.length <= longestInstruction ? text : `${text.slice(0, longestInstruction)}…`;
}

function made(entry: ComparedEntry, instructions: Instructions): ComparedEntry {
  const createdBy = instructions[entry.layer];
  return createdBy === undefined ? entry : { ...entry, createdBy };
}
