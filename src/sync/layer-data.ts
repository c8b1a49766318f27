import { OciUnpackError } from "../base/errors.ts";
import type { Memory } from "../base/memory-budget.ts";
import { quoted } from "../layer/findings.ts";
import { pathIn } from "../layer/paths.ts";
import type { RootfsSettings } from "../layer/settings.ts";
import type { ByteString } from "../tar/byte-string.ts";
import { textOf } from "../tar/byte-string.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource } from "../tar/entry.ts";
import type { TreeDirectory, TreeFile } from "../tree/tree-file.ts";

/** A name of the tree at which a file is to be made. */
export interface TreeName {
  readonly directory: TreeDirectory;
  readonly name: ByteString;
  readonly file: TreeFile;
}

/** The path of a name of the tree. */
export function pathOf({ directory, name }: Pick<TreeName, "directory" | "name">): ByteString {
  return pathIn(directory.path, name);
}

// Measured on Node 20 with 100,000 of them: 165 bytes.
const wantedBytes = 168;

/** The files whose data have to come out of layers. */
export class LayerData {
  readonly #memory: Memory;
  readonly #layers = new Map<number, Map<number, TreeName>>();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /** The layers that have such data. */
  get layers(): readonly number[] {
    return [...this.#layers.keys()];
  }

  /** Says that the data of a file are wanted, which begin at an offset of the archive of its layer. */
  want(wanted: TreeName, offset: number): void {
    this.#memory.spend(wantedBytes, "files that are new");
    const { origin } = wanted.file;
    const files = this.#layers.get(origin) ?? new Map<number, TreeName>();
    this.#layers.set(origin, files);
    files.set(offset, wanted);
  }

  /** Takes what is wanted out of the archive of a layer. What was repaired in it has been told. */
  take(
    layer: number,
    archive: ByteSource,
    { limits }: RootfsSettings,
    make: (name: TreeName, data: ByteSource) => void,
  ): void {
    const decoder = new TarDecoder(archive, { limits, strict: false, warning() {} });
    const files = this.#layers.get(layer) ?? new Map<number, TreeName>();
    while (decoder.next() !== undefined) {
      const { offset } = decoder; // it moves while data are read
      const wanted = files.get(offset);
      if (wanted === undefined) continue;
      make(wanted, decoder);
      files.delete(offset);
    }
    for (const name of files.values()) throw contradicted(pathOf(name), layer);
  }
}

/** The error for an index that does not say what is in its layer. */
export function contradicted(path: ByteString, layer: number): OciUnpackError {
  return new OciUnpackError(
    "DIGEST_MISMATCH",
    `cannot take ${quoted(path)} out of layer ${layer + 1}: it is not what the index of the layer says`,
    {
      hint: "the store has a wrong index of the layer: remove its directory indexes",
      details: { path: textOf(path), layer },
    },
  );
}
