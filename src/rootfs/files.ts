import { constants } from "node:fs";
import {
  checkDeviceNumber,
  checkNoWhiteout,
  checkOwner,
  checkSize,
  checkTarget,
  deviceName,
} from "../layer/entry-checks.ts";
import { refusal } from "../layer/refusal.ts";
import { errnos } from "../linux/errno.ts";
import { closeDescriptor, makeNodeAt, makeSymlinkAt, openAt } from "../linux/syscalls.ts";
import type { ByteSource, Entry } from "../tar/entry.ts";
import { writeContent } from "./content.ts";
import type { Place } from "./directory.ts";
import type { Places } from "./places.ts";
import type { Site } from "./site.ts";

const newFile = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

const empty: ByteSource = { read: () => undefined };

/** Makes what entries describe, except directories and hard links. */
export class Files {
  readonly #site: Site;
  readonly #places: Places;

  constructor(site: Site, places: Places) {
    this.#site = site;
    this.#places = places;
  }

  /** A regular file, or one in the place of a device. Nobody else sees it before it is complete: the root filesystem is private until then. */
  file(place: Place, entry: Entry, body: ByteSource): void {
    const { metadata, settings } = this.#site;
    checkOwner(entry);
    checkSize(entry, settings.limits);
    const mode = metadata.newMode(entry);
    const file = this.#places.make(place, "openat(O_CREAT|O_EXCL)", (directory, name) =>
      openAt(directory, name, newFile, mode),
    );
    try {
      if (entry.sizeBytes > 0) writeContent(file, entry, body);
      metadata.completeFile(file, entry);
    } finally {
      closeDescriptor(file);
    }
  }

  symlink(place: Place, entry: Entry): void {
    checkTarget(entry);
    checkOwner(entry);
    this.#places.make(place, "symlinkat", (directory, name) => makeSymlinkAt(directory, name, entry.linkPath));
    this.#complete(place, entry);
  }

  fifo(place: Place, entry: Entry): void {
    checkOwner(entry);
    const mode = constants.S_IFIFO | this.#site.metadata.newMode(entry);
    this.#places.make(place, "mknodat", (directory, name) => makeNodeAt(directory, name, mode, 0, 0));
    this.#complete(place, entry);
  }

  /** A device, as far as the caller wants devices. */
  device(place: Place, entry: Entry): void {
    const { findings, settings } = this.#site;
    const what = deviceName(entry);
    switch (settings.devices) {
      case "error":
        throw refusal(entry.path, `a ${what}`, "choose what is to become of devices, or unpack another image");
      case "skip":
        this.#places.vacate(place);
        return findings.skipped(entry.path, "device", what);
      case "placeholder":
        return this.#standIn(place, entry);
      case "create":
        this.createDevice(place, entry);
    }
  }

  #standIn(place: Place, entry: Entry): void {
    this.file(place, { ...entry, sizeBytes: 0 }, empty);
    this.#site.findings.skipped(entry.path, "device", `an empty file stands for the ${deviceName(entry)}`);
  }

  /** A device that is to be there, whatever the policy. */
  createDevice(place: Place, entry: Entry): void {
    if (this.#site.isOverlayLayer) checkNoWhiteout(entry);
    const { type, deviceMajor, deviceMinor, path } = entry;
    checkDeviceNumber(entry);
    checkOwner(entry);
    const kind = type === "character-device" ? constants.S_IFCHR : constants.S_IFBLK;
    const mode = kind | this.#site.metadata.newMode(entry);
    let isDenied = false;
    this.#places.make(place, "mknodat", (directory, name) => {
      const result = makeNodeAt(directory, name, mode, deviceMajor, deviceMinor);
      isDenied = result === -errnos.EPERM;
      return isDenied ? 0 : result;
    });
    const { findings, owners } = this.#site;
    if (!isDenied) this.#complete(place, entry);
    else if (owners.mayRecord(entry)) this.#standIn(place, entry);
    else findings.lost(path, "device", `this user may not make the ${deviceName(entry)}`);
  }

  #complete({ parent, name }: Place, entry: Entry): void {
    this.#site.metadata.completeNode(this.#site.tree.handles.of(parent), name, entry);
  }
}
