import type { ByteSource, Entry } from "../tar/entry.ts";
import type { LayerContext } from "./context.ts";
import type { EntryDestination } from "./destinations.ts";
import type { BackEndTypes } from "./directory.ts";
import { checkDeviceNumber, checkOwner, checkSize, checkTarget, deviceName } from "./entry-checks.ts";
import { refusal } from "./refusal.ts";

const empty: ByteSource = { read: () => undefined };

/** Makes what entries describe, in the stead of whatever is there. What they say has been checked. */
export interface FileBackEnd<Types extends BackEndTypes> {
  /** A regular file. The entry may be a device's, for which the file stands. */
  file(destination: EntryDestination<Types>, entry: Entry, body: ByteSource): void;
  symlink(destination: EntryDestination<Types>, entry: Entry): void;
  fifo(destination: EntryDestination<Types>, entry: Entry): void;
  device(destination: EntryDestination<Types>, entry: Entry): void;
  /** Removes what stands there, if anything does, and all that is below it. */
  remove(destination: EntryDestination<Types>): void;
}

/** What the entries of one layer make that is neither a directory nor a hard link. */
export class EntryFiles<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #backEnd: FileBackEnd<Types>;

  constructor(context: LayerContext<Types>, layer: number, backEnd: FileBackEnd<Types>) {
    this.#context = context;
    this.#layer = layer;
    this.#backEnd = backEnd;
  }

  file(destination: EntryDestination<Types>, entry: Entry, body: ByteSource): void {
    checkOwner(entry);
    checkSize(entry, this.#context.settings.limits);
    this.#backEnd.file(destination, entry, body);
  }

  symlink(destination: EntryDestination<Types>, entry: Entry): void {
    checkTarget(entry);
    checkOwner(entry);
    this.#backEnd.symlink(destination, entry);
  }

  fifo(destination: EntryDestination<Types>, entry: Entry): void {
    checkOwner(entry);
    this.#backEnd.fifo(destination, entry);
  }

  /** A device, as far as the caller wants devices. */
  device(destination: EntryDestination<Types>, entry: Entry): void {
    const { findings, settings } = this.#context;
    const { path } = entry;
    const what = deviceName(entry);
    switch (settings.devices) {
      case "error":
        throw refusal(path, `a ${what}`, "choose what is to become of devices, or unpack another image");
      case "skip":
        this.#backEnd.remove(destination);
        // Its directory is needed all the same: nothing else tells of the entry.
        destination.parent.neededIn = this.#layer;
        return findings.skipped(path, "device", what);
      case "placeholder":
        this.file(destination, { ...entry, sizeBytes: 0 }, empty);
        return findings.skipped(path, "device", `an empty file stands for the ${what}`);
      case "create":
        checkDeviceNumber(entry);
        checkOwner(entry);
        this.#backEnd.device(destination, entry);
    }
  }
}
