import type { Descriptor } from "../oci/descriptor.ts";
import { algorithmOf, type Digest, parseDigest } from "../oci/digest.ts";
import { TableRefused } from "./table-refused.ts";

/** A part of a blob that holds something compressed. */
export interface CompressedPart {
  readonly offset: number;
  readonly length: number;
  readonly uncompressedBytes: number;
}

/** Where a layer says that its table of contents is. */
export type TablePlace =
  /** Of a zstd:chunked layer: the table, and the headers of its archive as tar-split has them. */
  | {
      readonly kind: "zstd:chunked";
      readonly digest: Digest;
      readonly table: CompressedPart;
      readonly tarSplit: CompressedPart;
    }
  /** Of an eStargz layer: its footer tells where the table is. The digest is that of the table, decompressed. */
  | { readonly kind: "eStargz"; readonly digest: Digest };

const chunked = "io.github.containers.zstd-chunked.";
const checksumKey = `${chunked}manifest-checksum`;
const positionKey = `${chunked}manifest-position`;
const tarSplitKey = `${chunked}tarsplit-position`;
const stargzKey = "containerd.io/snapshot/stargz/toc.digest";

/** The number that stands for this kind of table. */
const knownType = 1;

/**
 * Finds the place of a layer's table by the annotations in the manifest, which is verified; `undefined` if it has none.
 * Throws `TableRefused` for annotations that contradict each other or the blob.
 */
export function tablePlace({ annotations = {}, sizeBytes }: Descriptor): TablePlace | undefined {
  const checksum = annotations[checksumKey];
  const stargz = annotations[stargzKey];
  if (checksum !== undefined && stargz !== undefined)
    throw new TableRefused("it has two, and they may contradict each other");
  if (stargz !== undefined) return { kind: "eStargz", digest: sha256(stargz) };
  const position = annotations[positionKey];
  if (checksum === undefined || position === undefined) return undefined;
  const [offset, length, uncompressedBytes, type] = numbers(position, 4);
  if (type !== knownType) throw new TableRefused(`it is of type ${type}, and only ${knownType} is known`);
  const split = annotations[tarSplitKey];
  if (split === undefined) throw new TableRefused("nothing shows what the archive's headers are");
  const [splitOffset, splitLength, splitBytes] = numbers(split, 3);
  const table = within(sizeBytes, { offset, length, uncompressedBytes });
  const tarSplit = within(sizeBytes, { offset: splitOffset, length: splitLength, uncompressedBytes: splitBytes });
  return { kind: "zstd:chunked", digest: sha256(checksum), table, tarSplit };
}

function sha256(text: string): Digest {
  const digest = parseDigest(text);
  if (digest !== undefined && algorithmOf(digest) === "sha256") return digest;
  throw new TableRefused(`"${text.slice(0, 100)}" is not a SHA-256 digest`);
}

/** Decimal numbers with colons between. */
function numbers(text: string, count: number): [number, number, number, number | undefined] {
  const parts = text.slice(0, 100).split(":");
  const [first, second, third, fourth] = parts.map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : undefined));
  if (parts.length !== count || first === undefined || second === undefined || third === undefined)
    throw new TableRefused(`"${text.slice(0, 100)}" is not a position`);
  return [first, second, third, fourth];
}

function within(sizeBytes: number, part: CompressedPart): CompressedPart {
  if (part.length > 0 && part.offset + part.length <= sizeBytes) return part;
  throw new TableRefused(`it is said to be at byte ${part.offset}, and the layer has ${sizeBytes}`);
}
