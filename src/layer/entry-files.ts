import type { ByteSource, Entry } from "../tar/entry.ts";
import type { BackEnd, LayerContext } from "./back-end.ts";
import type { BackEndTypes, EntryDestination } from "./directory.ts";
import { checkDeviceNumber, checkOwner, checkSize, checkTarget, deviceName } from "./entry-checks.ts";
import { refusal } from "./findings.ts";

const empty: ByteSource = { read: () => undefined };

/** What the entries of one layer make that is neither a directory nor a hard link. */
export class EntryFiles<Types extends BackEndTypes> {
  readonly #context: LayerContext<Types>;
  readonly #layer: number;
  readonly #backEnd: Pick<BackEnd<Types>, "directories" | "files">;

  constructor(context: LayerContext<Types>, layer: number, backEnd: Pick<BackEnd<Types>, "directories" | "files">) {
    this.#context = context;
    this.#layer = layer;
    this.#backEnd = backEnd;
  }

  file(destination: EntryDestination<Types>, entry: Entry, body: ByteSource): void {
    checkOwner(entry);
    checkSize(entry, this.#context.settings.limits);
    this.#backEnd.files.file(destination, entry, body);
  }

  symlink(destination: EntryDestination<Types>, entry: Entry): void {
    checkTarget(entry);
    checkOwner(entry);
    this.#backEnd.files.symlink(destination, entry);
  }

  fifo(destination: EntryDestination<Types>, entry: Entry): void {
    checkOwner(entry);
    this.#backEnd.files.fifo(destination, entry);
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
        this.#backEnd.directories.remove(destination);
        // Its directory is needed all the same: nothing else tells of the entry.
        destination.parent.neededIn = this.#layer;
        return findings.skipped(path, "device", what);
      case "placeholder":
        this.file(destination, { ...entry, sizeBytes: 0 }, empty);
        return findings.skipped(path, "device", `an empty file stands for the ${what}`);
      case "create":
        checkDeviceNumber(entry);
        checkOwner(entry);
        this.#backEnd.files.device(destination, entry);
    }
  }
}
