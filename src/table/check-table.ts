import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Limits } from "../base/limits.ts";
import { type Memory, MemoryShare } from "../base/memory-budget.ts";
import { textOf } from "../tar/byte-string.ts";
import { TarDecoder } from "../tar/decoder.ts";
import type { ByteSource } from "../tar/entry.ts";
import type { DataFacts } from "../toc/toc-entry.ts";
import { writeToc } from "../toc/toc-writer.ts";
import { type ChunkList, ChunkListBuilder, type TableInArchive, type TableKind } from "./chunk-list.ts";
import { JsonItems } from "./json-items.ts";
import { archiveOfTable, insistOnSame, sourceOf, type TableFile, tableFiles } from "./table-files.ts";
import { TableRefused } from "./table-refused.ts";
import { TarSplit } from "./tar-split.ts";

/** What is known of a layer's table before it is read. */
export interface ExpectedTable {
  readonly kind: TableKind;
  /** What the table's bytes have to digest to, where that was not verified before they were decompressed. */
  readonly digest: string | undefined;
  /** What the table has to say that the tar-split's bytes digest to. */
  readonly tarSplitDigest: string | undefined;
  /** Where the data of files end in the blob, and where what follows them ends. */
  readonly dataEnd: number;
  readonly tableEnd: number;
}

/** What a layer's table says. */
export interface ReadTable {
  /** The index of the layer, in gzip. */
  readonly index: Uint8Array;
  readonly chunks: ChunkList;
}

/** The name that eStargz gives its table in the archive. */
const stargzName = "stargz.index.json";

interface CheckOptions {
  readonly limits: Limits;
  /** What is kept is counted here. */
  readonly memory: Memory;
}

/**
 * Checks a layer's table of contents and makes the layer's index of it. `input` yields the table, decompressed; of
 * zstd:chunked then the headers of the archive as tar-split has them.
 *
 * The index is made of an archive without data, by what decodes archives, so that an entry is what it would be in the
 * layer. Throws `TableRefused`, or what is wrong with that archive.
 */
export function checkedTable(input: ByteSource, expected: ExpectedTable, options: CheckOptions): ReadTable {
  const names = new MemoryShare(options.memory);
  const kept = new MemoryShare(options.memory);
  try {
    return new TableCheck(expected, options.limits, { names, kept }).read(input);
  } catch (error) {
    kept.releaseAll();
    throw error;
  } finally {
    names.releaseAll();
  }
}

class TableCheck {
  readonly #expected: ExpectedTable;
  readonly #limits: Limits;
  readonly #memory: { readonly names: Memory; readonly kept: Memory };
  readonly #chunks: ChunkListBuilder;

  constructor(expected: ExpectedTable, limits: Limits, memory: { readonly names: Memory; readonly kept: Memory }) {
    this.#expected = expected;
    this.#limits = limits;
    this.#memory = memory;
    this.#chunks = new ChunkListBuilder(expected.kind, expected.dataEnd, memory.kept);
  }

  read(input: ByteSource): ReadTable {
    const { tableBytes, totalBytes } = this.#limits;
    const bytes = whole(input, tableBytes);
    const found = this.#expected.kind === "eStargz" ? this.#stargzTable(bytes) : { json: bytes };
    const items = new JsonItems(found.json);
    const queue = new FileQueue(tableFiles(items, { limits: this.#limits, memory: this.#memory.names }));
    const archive =
      found.own === undefined
        ? new TarSplit(input, totalBytes)
        : sourceOf(archiveOfTable(queue.passing(), bytes, totalBytes));
    const index = this.#index(archive, queue, found.own);
    if (queue.next() !== undefined) throw new TableRefused("it has more entries than the archive");
    this.#insistOnDocument(items.rest);
    this.#memory.kept.spend(index.length, "tables");
    return { index, chunks: this.#chunks.end(this.#expected.tableEnd) };
  }

  #index(archive: ByteSource, queue: FileQueue, own: FoundTable["own"]): Uint8Array {
    const parts: Uint8Array[] = [];
    writeToc(archive, {
      limits: this.#limits,
      write: (bytes) => parts.push(Buffer.from(bytes)),
      digests: (entry, decoder): Pick<DataFacts, "digest"> => {
        const file = queue.next();
        if (file === undefined && own !== undefined && textOf(entry.path) === stargzName) {
          this.#chunks.addLast(own, decoder.offset);
          return own;
        }
        insistOnSame(entry, file?.[0]);
        if (file === undefined || entry.type !== "file" || entry.sizeBytes === 0) return {};
        this.#chunks.add(file, decoder.offset);
        return { digest: file[0].digest };
      },
    });
    return Buffer.concat(parts);
  }

  /** Finds the table in the end of an eStargz archive, and verifies its digest. */
  #stargzTable(end: Buffer): FoundTable {
    const once = [end];
    const decoder = new TarDecoder({ read: () => once.pop() }, { limits: this.#limits, strict: false, warning() {} });
    const entry = decoder.next();
    if (entry?.type !== "file" || textOf(entry.path) !== stargzName || entry.segments !== undefined)
      throw new TableRefused("the layer's footer does not lead to it");
    const innerOffset = decoder.offset;
    const { sizeBytes } = entry;
    const json = end.subarray(innerOffset, innerOffset + sizeBytes);
    const digest = createHash("sha256").update(json).digest("hex");
    if (digest !== this.#expected.digest)
      throw new TableRefused(`it digests to sha256:${digest}, and the manifest says otherwise`);
    return { json, own: { digest, innerOffset, sizeBytes } };
  }

  /** Throws unless a table is of the version that is known, and of the archive that it was compared with. */
  #insistOnDocument(rest: unknown): void {
    const document: { readonly version?: unknown; readonly tarSplitDigest?: unknown } =
      typeof rest === "object" && rest !== null ? rest : {};
    const names = Object.keys(document).map((name) => name.toLowerCase());
    if (new Set(names).size < names.length) throw new TableRefused("it has a member twice, in another case");
    if (document.version !== 1) throw new TableRefused("it is of another version than 1");
    const { tarSplitDigest } = this.#expected;
    if (tarSplitDigest !== undefined && document.tarSplitDigest !== `sha256:${tarSplitDigest}`)
      throw new TableRefused("it is not of the headers that the manifest names");
  }
}

interface FoundTable {
  readonly json: Buffer;
  /** Of eStargz, the file that the table is in the archive. */
  readonly own?: TableInArchive;
}

/** The files of a table in order, for one who makes an archive of them and one who reads that. */
class FileQueue {
  readonly #files: Iterator<TableFile>;
  readonly #passed: TableFile[] = [];

  constructor(files: Iterator<TableFile>) {
    this.#files = files;
  }

  /** The next file that was passed or, where none was, the next one. */
  next(): TableFile | undefined {
    return this.#passed.shift() ?? this.#taken();
  }

  *passing(): Generator<TableFile> {
    for (let file = this.#taken(); file !== undefined; file = this.#taken()) {
      this.#passed.push(file);
      yield file;
    }
  }

  #taken(): TableFile | undefined {
    const next = this.#files.next();
    return next.done === true ? undefined : next.value;
  }
}

/** All bytes of a stream. */
function whole(input: ByteSource, mostBytes: number): Buffer {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for (let piece = input.read(); piece !== undefined; piece = input.read()) {
    bytes += piece.length;
    if (bytes > mostBytes)
      throw new TableRefused(`it has more than the ${mostBytes} bytes that are allowed (tableBytes)`);
    pieces.push(Buffer.from(piece));
  }
  return Buffer.concat(pieces);
}
