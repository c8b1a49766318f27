import type { ByteString } from "../tar/byte-string.ts";
import type { Place } from "./place.ts";

/** What becomes of the whiteouts of one layer: they are carried out, or recorded for whoever puts layers together. */
export interface WhiteoutPolicy<Directory> {
  /** Hides what lower layers have at a place and below it. */
  hide(place: Place<Directory>): void;
  /** Hides everything that lower layers have in a directory, and keeps the directory. */
  hideAllIn(directory: Directory, path: ByteString): void;
  /** A whiteout of what is not there, or of what is nowhere. */
  noteNothing(path: ByteString): void;
}
