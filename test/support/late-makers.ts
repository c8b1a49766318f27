import type { RootfsSettings } from "../../src/layer/settings.ts";
import type { FileSystemTraits } from "../../src/rootfs/file-system-probe.ts";
import { HandedFileMaker } from "../../src/rootfs/handed-file-maker.ts";
import { type HandedFile, type Makers, madeAsStated, type Outcome } from "../../src/rootfs/handed-files.ts";
import type { ByteString } from "../../src/tar/byte-string.ts";
import type { ByteSource, Entry } from "../../src/tar/entry.ts";

/** A file that waits for its maker. */
interface Waiting {
  readonly directoryPath: ByteString;
  readonly name: ByteString;
  readonly entry: Entry;
  readonly data: readonly Uint8Array[];
}

const makerCount = 3;

/**
 * Makers of files who begin when somebody waits for them, and not before; now and then one is early. So whoever forgets
 * to wait finds nothing there, or finds later what should be gone.
 */
export class LateMakers implements Makers, Disposable {
  readonly #root: number;
  readonly #settings: RootfsSettings;
  readonly #makers: HandedFileMaker[] = [];
  readonly #waiting: Waiting[][] = Array.from({ length: makerCount }, () => []);
  #given = 0;
  #asked = 0;

  /** `root` is an open handle of the root filesystem. */
  constructor(root: number, settings: RootfsSettings) {
    this.#root = root;
    this.#settings = settings;
  }

  begin(fileSystem: FileSystemTraits): void {
    for (let maker = 0; maker < makerCount; maker += 1)
      this.#makers.push(new HandedFileMaker(this.#root, this.#settings, fileSystem));
  }

  give({ directory, name, entry }: HandedFile, body: ByteSource): number {
    const data: Uint8Array[] = [];
    for (let chunk = body.read(); chunk !== undefined; chunk = body.read()) data.push(Uint8Array.from(chunk));
    const maker = this.#given % makerCount;
    this.#given += 1;
    this.#waiting[maker]?.push({ directoryPath: directory.path, name, entry, data });
    return maker;
  }

  outcome(maker: number, wait: boolean): Outcome | undefined {
    this.#asked += 1;
    if (!wait && this.#asked % 5 !== 0) return undefined;
    const file = this.#waiting[maker]?.shift();
    const own = this.#makers[maker];
    if (file === undefined || own === undefined) throw new TypeError("nothing was given");
    const error = errorOf(own, file);
    const findings = own.takeFindings();
    if (error !== undefined) return { findings, error };
    return findings.length > 0 ? { findings } : madeAsStated;
  }

  [Symbol.dispose](): void {
    for (const maker of this.#makers) maker[Symbol.dispose]();
  }
}

function errorOf(maker: HandedFileMaker, { directoryPath, name, entry, data }: Waiting): unknown {
  const rest = [...data];
  try {
    maker.enter(directoryPath);
    maker.make(name, entry, { read: () => rest.shift() });
    return undefined;
  } catch (error) {
    return error;
  }
}
