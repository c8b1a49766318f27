import { Buffer } from "node:buffer";
import type { Limits } from "../base/limits.ts";
import type { Memory } from "../base/memory-budget.ts";
import { byteStringOf, textOf } from "../tar/byte-string.ts";
import { encodedHeader, paddingBytes } from "../tar/encoder.ts";
import { type ByteSource, type Entry, isDevice } from "../tar/entry.ts";
import { type TableEntry, tableEntry } from "./table-entry.ts";
import { TableRefused } from "./table-refused.ts";

/** A file's entry, and those of its further chunks. */
export type TableFile = readonly [TableEntry, ...TableEntry[]];

/** What a name takes besides its characters, in the set of names. */
const bytesOfName = 64;

interface TableFilesOptions {
  readonly limits: Pick<Limits, "tableEntries">;
  readonly memory: Memory;
}

/**
 * The entries of a table of contents by files, each with those of its further chunks. Throws `TableRefused` for a name
 * that comes twice, and for more entries than are allowed.
 */
export function* tableFiles(items: Iterable<unknown>, { limits, memory }: TableFilesOptions): Generator<TableFile> {
  const names = new Set<string>();
  let file: [TableEntry, ...TableEntry[]] | undefined;
  let count = 0;
  for (const item of items) {
    count += 1;
    if (count > limits.tableEntries)
      throw new TableRefused(`it has more than the ${limits.tableEntries} entries that are allowed (tableEntries)`);
    const entry = tableEntry(item);
    if (entry.type === "chunk") {
      if (file?.[0].name !== entry.name || file[0].type !== "file") throw new TableRefused("it has a chunk of no file");
      file.push(entry);
      continue;
    }
    const name = plainName(entry.name);
    memory.spend(bytesOfName + name.length, "names");
    if (names.has(name)) throw new TableRefused(`it names "${name.slice(0, 200)}" twice`);
    names.add(name);
    if (file !== undefined) yield file;
    file = [entry];
  }
  if (file !== undefined) yield file;
}

/** `./etc/` and `etc` are the same. */
function plainName(name: string): string {
  const names = name.split("/").filter((part) => part !== "" && part !== ".");
  return names.join("/");
}

/** Throws `TableRefused` unless an entry of an archive is the one that the table has in its place. */
export function insistOnSame(entry: Entry, listed: TableEntry | undefined): void {
  const path = textOf(entry.path);
  if (listed === undefined || !isSame(entry, listed))
    throw new TableRefused(`it does not tell of "${path.slice(0, 200)}" what the archive does`);
  if (entry.segments !== undefined)
    throw new TableRefused(`"${path.slice(0, 200)}" has holes, of which it cannot tell`);
}

function isSame(entry: Entry, listed: TableEntry): boolean {
  return (
    entry.type === listed.type &&
    textOf(entry.path) === listed.name &&
    textOf(entry.linkPath) === listed.linkName &&
    entry.mode === listed.mode &&
    entry.uid === listed.uid &&
    entry.gid === listed.gid &&
    (entry.type !== "file" || entry.sizeBytes === listed.sizeBytes) &&
    entry.mtime.seconds === listed.mtime.seconds &&
    entry.mtime.nanoseconds === listed.mtime.nanoseconds &&
    (!isDevice(entry) || (entry.deviceMajor === listed.deviceMajor && entry.deviceMinor === listed.deviceMinor)) &&
    haveSameAttributes(entry.xattrs, listed.xattrs)
  );
}

function haveSameAttributes(found: Entry["xattrs"], listed: TableEntry["xattrs"]): boolean {
  if ((found?.size ?? 0) !== listed.size) return false;
  return [...listed].every(([name, value]) => {
    const other = found?.get(name);
    return other !== undefined && Buffer.compare(other, value) === 0;
  });
}

/** The largest number that a header has room for as a device's. */
const mostDevice = 8 ** 7 - 1;

const zeros = new Uint8Array(1024 * 1024);

/**
 * An archive with the entries of a table and zeros as their data, and then `end`. So what decodes archives checks what a
 * table says.
 */
export function* archiveOfTable(files: Iterable<TableFile>, end: Uint8Array, mostBytes: number): Generator<Uint8Array> {
  let bytes = 0;
  for (const [entry] of files) {
    if (entry.deviceMajor > mostDevice || entry.deviceMinor > mostDevice)
      throw new TableRefused("it has a device whose number is too large");
    const sizeBytes = entry.type === "file" ? entry.sizeBytes : 0;
    yield encodedHeader(archived(entry, sizeBytes));
    const dataBytes = sizeBytes + paddingBytes(sizeBytes);
    bytes += dataBytes;
    if (bytes > mostBytes) throw new TableRefused(`its archive has more than ${mostBytes} bytes`);
    for (let rest = dataBytes; rest > 0; rest -= zeros.length) yield zeros.subarray(0, rest);
  }
  yield end;
}

function archived(entry: TableEntry, sizeBytes: number): Parameters<typeof encodedHeader>[0] {
  const { type, name, linkName, mode, uid, gid, mtime, deviceMajor, deviceMinor, xattrs } = entry;
  if (type === "chunk") throw new TypeError("a chunk is no entry of an archive");
  return {
    type,
    path: byteStringOf(name),
    linkPath: byteStringOf(linkName),
    mode,
    uid,
    gid,
    sizeBytes,
    mtime,
    deviceMajor,
    deviceMinor,
    xattrs,
  };
}

/** Bytes that are made as they are read. */
export function sourceOf(chunks: Iterator<Uint8Array>): ByteSource {
  return {
    read() {
      for (let next = chunks.next(); next.done !== true; next = chunks.next())
        if (next.value.length > 0) return next.value;
      return undefined;
    },
  };
}
