import { checkDeviceNumber, checkOwner, checkSize, checkTarget, deviceName } from "../layer/entry-checks.ts";
import type { Place } from "../layer/place.ts";
import { refusal } from "../layer/refusal.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import type { Merging } from "./merging.ts";
import type { Places } from "./places.ts";
import type { InMemory } from "./tree-file.ts";
import { TreeFile } from "./tree-file.ts";

/** Keeps the data of a file that the tree takes in, or leaves them where they are, and says where that is. */
export type Store = (entry: Entry, body: ByteSource) => number;

/** Makes what entries describe, except directories and hard links. */
export class Files {
  readonly #merging: Merging;
  readonly #places: Places;
  readonly #store: Store;

  constructor(merging: Merging, places: Places, store: Store) {
    this.#merging = merging;
    this.#places = places;
    this.#store = store;
  }

  file(place: Place<InMemory>, entry: Entry, body: ByteSource): void {
    checkOwner(entry);
    checkSize(entry, this.#merging.settings.limits);
    this.#put("file", place, entry, entry.sizeBytes > 0 ? this.#store(entry, body) : 0);
  }

  symlink(place: Place<InMemory>, entry: Entry): void {
    checkTarget(entry);
    checkOwner(entry);
    this.#put("symlink", place, entry);
  }

  fifo(place: Place<InMemory>, entry: Entry): void {
    checkOwner(entry);
    this.#put("fifo", place, entry);
  }

  /** A device, as far as the caller wants devices. */
  device(place: Place<InMemory>, entry: Entry): void {
    const { findings, settings } = this.#merging;
    const { path } = entry;
    const what = deviceName(entry);
    switch (settings.devices) {
      case "error":
        throw refusal(path, `a ${what}`, "choose what is to become of devices, or unpack another image");
      case "skip":
        this.#places.vacate(place);
        return findings.skipped(path, "device", what);
      case "placeholder":
        checkOwner(entry);
        this.#put("file", place, { ...entry, sizeBytes: 0 });
        return findings.skipped(path, "device", `an empty file stands for the ${what}`);
      case "create":
        checkDeviceNumber(entry);
        checkOwner(entry);
        this.#put(entry.type === "block-device" ? "block-device" : "character-device", place, entry);
    }
  }

  #put(type: TreeFile["type"], place: Place<InMemory>, entry: Entry, content = 0): void {
    const { layer } = this.#places;
    const xattrs = this.#merging.xattrs.kept(entry);
    this.#places.putNew(place, new TreeFile(type, entry, { layer, xattrs, content }));
  }
}
