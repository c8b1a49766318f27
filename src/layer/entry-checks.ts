import type { Limits } from "../base/limits.ts";
import type { ByteString } from "../tar/byte-string.ts";
import type { Entry } from "../tar/entry.ts";
import { entryLimitExceeded, refusal } from "./findings.ts";

/** The largest id. The one after it is what chown(2) reads as "leave it as it is". */
const largestId = 2 ** 32 - 2;

/** What Linux takes as a symlink's target. */
const targetBytes = 4095;

/** What Linux takes as one name. */
const nameBytes = 255;

/** The largest device numbers that Linux has. */
const largestMajor = 2 ** 12 - 1;
const largestMinor = 2 ** 20 - 1;

/** Refuses numbers that are no owner's: cut to what the kernel takes, they would be somebody else's, root's for one. */
export function checkOwner({ uid, gid, path }: Pick<Entry, "uid" | "gid" | "path">): void {
  for (const id of [uid, gid]) {
    if (id < 0 || id > largestId) throw refusal(path, `the owner ${uid}:${gid}, which no file can have`);
  }
}

/** Refuses a name that no Linux file system stores. */
export function checkedName(name: ByteString, path: ByteString): ByteString {
  if (name.includes("\0")) throw refusal(path, "a NUL byte in a name");
  checkNameLength(name, path);
  return name;
}

/** Refuses a name that is too long, as Linux does where it comes to one. */
export function checkNameLength(name: ByteString, path: ByteString): void {
  if (name.length <= nameBytes) return;
  throw refusal(path, `a name of ${name.length} bytes, of which Linux takes ${nameBytes}`);
}

/** Refuses a symlink that Linux would not make. */
export function checkTarget({ linkPath, path }: Entry): void {
  if (linkPath === "" || linkPath.includes("\0")) throw refusal(path, "a symlink that leads to no path");
  if (linkPath.length > targetBytes) {
    throw refusal(path, `a symlink's target of ${linkPath.length} bytes, of which Linux takes ${targetBytes}`);
  }
}

/** Refuses a device that Linux does not have. */
export function checkDeviceNumber(entry: Entry): void {
  const hasNumber = isWithin(entry.deviceMajor, largestMajor) && isWithin(entry.deviceMinor, largestMinor);
  if (!hasNumber) throw refusal(entry.path, `a ${deviceName(entry)}, a number that Linux does not have`);
}

/** Refuses the device that an overlay takes for a whiteout (rule T29). */
export function checkNoWhiteout(entry: Entry): void {
  const { type, deviceMajor, deviceMinor, path } = entry;
  if (type !== "character-device" || deviceMajor !== 0 || deviceMinor !== 0) return;
  throw refusal(path, `a ${deviceName(entry)}, which an overlay takes for a whiteout`);
}

/** A device as messages name it. */
export function deviceName({ type, deviceMajor, deviceMinor }: Entry): string {
  return `${type.replace("-", " ")} ${deviceMajor}:${deviceMinor}`;
}

/** Refuses a file that is larger than the caller allows, with its holes or without. */
export function checkSize({ path, sizeBytes, segments }: Entry, { fileBytes, apparentFileBytes }: Limits): void {
  if (sizeBytes > apparentFileBytes) {
    throw entryLimitExceeded(path, `a file of ${sizeBytes} bytes`, "apparentFileBytes", apparentFileBytes);
  }
  const storedBytes = segments?.reduce((sum, { length }) => sum + length, 0) ?? sizeBytes;
  if (storedBytes > fileBytes) throw entryLimitExceeded(path, `a file of ${storedBytes} bytes`, "fileBytes", fileBytes);
}

function isWithin(number: number, largest: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= largest;
}
