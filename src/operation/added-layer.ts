import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { OciUnpackError } from "../base/errors.ts";
import { invalidOption, pathOf } from "../base/option-checks.ts";
import { fileSystemError } from "../base/system-error.ts";
import { type BlobOptions, type ImageSource, skippingBytes } from "../blob/image-source.ts";
import { WrappedImage } from "../blob/wrapped-image.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type Digest, Hasher } from "../oci/digest.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { encodedHeader, endMarkerBytes, paddingBytes } from "../tar/encoder.ts";
import type { NumberedLayer } from "../worker/messages.ts";
import { Progress } from "../worker/progress.ts";
import { type AddedFile, addedPath } from "./added-files.ts";
import type { AcceptedImage } from "./operation.ts";

/** A file that is open, and what a layer says of it. */
interface OpenedFile {
  readonly name: string;
  readonly file: FileHandle;
  readonly header: Uint8Array;
  readonly sizeBytes: number;
  /** What shows that it was not written to since. */
  readonly state: string;
}

/** Files of this machine, as a layer that comes on top of an image. */
export class AddedLayer implements AsyncDisposable {
  /** The layer that has them: a tar archive, which is not compressed. `undefined` if there are none. */
  readonly #layer: Descriptor | undefined;
  readonly #files: readonly OpenedFile[];

  private constructor(files: readonly OpenedFile[], layer: Descriptor | undefined) {
    this.#files = files;
    this.#layer = layer;
  }

  /**
   * Opens and reads the files. Their times are `seconds`. Throws `INVALID_OPTION` for what is no regular file that can be
   * read, and for a target that cannot be.
   */
  static async open(wanted: readonly AddedFile[] = [], seconds = 0): Promise<AddedLayer> {
    const files: OpenedFile[] = [];
    try {
      for (const each of wanted) files.push(await openFile(each, seconds));
      return new AddedLayer(files, files.length === 0 ? undefined : await describedLayer(files));
    } catch (error) {
      await closeAll(files);
      throw error;
    }
  }

  /** The digest of the layer; `undefined` if no files are added. */
  get digest(): Digest | undefined {
    return this.#layer?.digest;
  }

  /** The image with this layer on top. */
  onTopOf(accepted: AcceptedImage): AcceptedImage {
    if (this.#layer === undefined) return accepted;
    const { digest: diffID, sizeBytes: compressedBytes } = this.#layer;
    const layer: NumberedLayer = { number: accepted.layers.length, compression: "none", compressedBytes, diffID };
    const layers = [...accepted.layers, layer];
    const source = new SourceWithLayer(accepted.source, diffID, () => archiveOf(this.#files));
    const blobs = [...accepted.blobs, this.#layer];
    return { ...accepted, source, layers, blobs, progress: Progress.forLayers(layers.length) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeAll(this.#files);
  }
}

async function closeAll(files: readonly OpenedFile[]): Promise<void> {
  for (const { file } of files) await file.close();
}

async function openFile(added: AddedFile, seconds: number): Promise<OpenedFile> {
  const { mode, uid = 0, gid = 0 } = added;
  const archivePath = byteStringOf(addedPath(added.target));
  if (mode !== undefined && mode > permissionBits) throw invalidOption("add", "its mode is more than 0o7777", modeHint);
  for (const id of [uid, gid]) if (id > largestId) throw invalidOption("add", `nobody has the number ${id}`);
  const name = pathOf("add", added.source);
  const file = await opened(name);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw invalidOption("add", `"${name}" is not a regular file`, sourceHint);
    const header = encodedHeader({
      type: "file",
      path: archivePath,
      linkPath: byteStringOf(""),
      mode: mode ?? stats.mode & permissionBits,
      uid,
      gid,
      sizeBytes: stats.size,
      mtime: { seconds, nanoseconds: 0 },
      xattrs: new Map(),
      deviceMajor: 0,
      deviceMinor: 0,
    });
    return { name, file, header, sizeBytes: stats.size, state: await stateOf(file) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

const permissionBits = 0o7777;
const largestId = 2 ** 32 - 2;
const modeHint = "modes are permission bits, as in 0o755";
const sourceHint = "name a file that you may read";

async function opened(name: string): Promise<FileHandle> {
  try {
    // Whoever opens a pipe to read it would wait for a writer.
    return await open(name, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const told = fileSystemError(error, `read "${name}"`);
    if (!(told instanceof OciUnpackError)) throw told;
    throw new OciUnpackError("INVALID_OPTION", told.message, {
      hint: sourceHint,
      details: { option: "add" },
      cause: error,
    });
  }
}

/** Whoever writes to a file changes this. */
async function stateOf(file: FileHandle): Promise<string> {
  const { size, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
  return [size, mtimeNs, ctimeNs].join(" ");
}

async function describedLayer(files: readonly OpenedFile[]): Promise<Descriptor> {
  const hasher = new Hasher("sha256");
  let sizeBytes = 0;
  for await (const chunk of archiveOf(files)) {
    hasher.update(chunk);
    sizeBytes += chunk.length;
  }
  return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest: hasher.digest(), sizeBytes };
}

async function* archiveOf(files: readonly OpenedFile[]): AsyncGenerator<Uint8Array> {
  for (const opened of files) {
    yield opened.header;
    yield* dataOf(opened);
    yield new Uint8Array(paddingBytes(opened.sizeBytes));
  }
  yield new Uint8Array(endMarkerBytes);
}

const chunkBytes = 256 * 1024;

/** The data of a file, as it was when it was opened. Throws `FILE_SYSTEM` if it was written to meanwhile. */
async function* dataOf({ name, file, sizeBytes, state }: OpenedFile): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < sizeBytes; ) {
    const chunk = new Uint8Array(Math.min(chunkBytes, sizeBytes - position));
    const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) break;
    position += bytesRead;
    yield chunk.subarray(0, bytesRead);
  }
  if ((await stateOf(file)) === state) return;
  throw new OciUnpackError("FILE_SYSTEM", `cannot add "${name}": it was changed while it was read`, {
    hint: "do it again when nobody writes to the file",
  });
}

/** A source of an image that has one layer more. */
class SourceWithLayer extends WrappedImage {
  readonly #layer: Digest;
  readonly #content: () => AsyncIterable<Uint8Array>;

  constructor(image: ImageSource, layer: Digest, content: () => AsyncIterable<Uint8Array>) {
    super(image);
    this.#layer = layer;
    this.#content = content;
  }

  override blob(descriptor: Descriptor, options?: BlobOptions): AsyncIterable<Uint8Array> {
    if (descriptor.digest !== this.#layer) return super.blob(descriptor, options);
    return skippingBytes(options?.offset ?? 0, this.#content());
  }

  override alternatives(descriptor: Descriptor): number {
    return descriptor.digest === this.#layer ? 0 : super.alternatives(descriptor);
  }
}
