import { type ByteString, textOf } from "../tar/byte-string.ts";

/**
 * What was asked for depends on layers below those that the tree was given. Never reaches a caller of this library:
 * whoever builds on an unknown base reads one layer more and asks again.
 */
export class Undetermined extends Error {
  /** The path of a directory of which not everything is known. */
  readonly directoryPath: ByteString;
  /** The name in it that was looked for; absent where all names were. */
  readonly childName: ByteString | undefined;

  constructor(directoryPath: ByteString, childName?: ByteString) {
    super(`only lower layers tell what is in "${textOf(directoryPath)}"`);
    this.name = "Undetermined";
    this.directoryPath = directoryPath;
    this.childName = childName;
  }
}
