import { OciUnpackError } from "../../base/errors.ts";
import type { FetchOptions } from "../../base/events.ts";
import type { Limits } from "../../base/limits.ts";
import {
  bytes,
  check,
  checkOptions,
  type Kinds,
  limitsKind,
  settleLimits,
  text,
  word,
} from "../../base/option-checks.ts";
import { type SandboxPolicy, sandboxPolicies } from "../../base/option-words.ts";
import type {
  BlobOptions,
  Document,
  ImageAttachments,
  ImagePlace,
  ImageSource,
  PlacedImage,
  SignatureFile,
  Source,
} from "../../blob/image-source.ts";
import type { Descriptor } from "../../oci/descriptor.ts";
import { type Digest, digestBy, encodedOf } from "../../oci/digest.ts";
import { defaultSandbox } from "../../system/sandbox.ts";
import { ArchiveFiles } from "./archive-files.ts";
import { DirectoryFiles } from "./directory-files.ts";
import { DockerArchiveImage } from "./docker-archive.ts";
import { Archives, type ImageFiles, type OpenFiles, readBlob, readDocument, requireFile } from "./image-files.ts";
import { LayoutImage, splitSelector } from "./layout.ts";
import { readSignatureFiles } from "./signature-files.ts";

/** The kinds of images on this machine, with skopeo's names for them. */
const localTransports = ["oci", "oci-archive", "docker-archive", "dir"] as const;
type LocalTransport = (typeof localTransports)[number];

/** Splits `TRANSPORT:REST`; `undefined` unless the transport is one for images on this machine. */
export function splitTransport(
  name: string,
): { readonly transport: LocalTransport; readonly rest: string } | undefined {
  const colon = name.indexOf(":");
  const transport = localTransports.find((known) => known === name.slice(0, colon));
  return transport === undefined ? undefined : { transport, rest: name.slice(colon + 1) };
}

/** How images on this machine are read. */
export interface LocalOptions {
  /** The archive whose path is `-`. Default: the standard input of this process; nothing else may read from it. */
  readonly standardInput?: AsyncIterable<Uint8Array>;
  /** Overrides single limits. They hold for documents, and for the archive around the layers. */
  readonly limits?: Partial<Limits>;
  /**
   * Whether the thread that reads an archive must be confined by Landlock, should be, or need not be. Default:
   * "require" on Linux, "prefer" elsewhere.
   */
  readonly sandbox?: SandboxPolicy;
}

/** The kinds of the options that all sources on this machine have. */
export const readingKinds = { limits: limitsKind, sandbox: word(...sandboxPolicies) };

export const localKinds: Kinds<LocalOptions> = { ...readingKinds, standardInput: bytes };

/**
 * Images on this machine: `oci:PATH[:NAME|@DIGEST]`, `oci-archive:PATH[:NAME|@DIGEST]`,
 * `docker-archive:PATH[:REFERENCE|:@N]`, `dir:PATH`. An archive's path may be `-` for standard input.
 */
export function localSource(options: LocalOptions = {}): Source {
  checkOptions(options, localKinds);
  const { standardInput, sandbox = defaultSandbox } = options;
  const limits = settleLimits(options.limits);
  const archives = new Archives();
  const archive = (path: string) =>
    archives.openedOnce((signal) => ArchiveFiles.open(path, { limits, sandbox, signal }, standardInput));
  return {
    image(name) {
      check("name", name, text);
      return openImage(name, archive, limits);
    },
    [Symbol.asyncDispose]: () => archives[Symbol.asyncDispose](),
  };
}

function openImage(name: string, archive: (path: string) => OpenFiles, limits: Limits): ImageSource {
  const { transport, rest } = splitTransport(name) ?? refuse(name, "it names no image on this machine");
  if (rest === "" || rest.startsWith(":")) refuse(name, "it names no path");
  switch (transport) {
    case "dir":
      return new DirectoryImage({ name, location: { transport, path: rest } }, new DirectoryFiles(rest), limits);
    case "oci": {
      const { path, selector } = splitSelector(rest);
      const location = { transport, path } as const;
      return new LayoutImage({ name, location }, async () => new DirectoryFiles(path), selector, limits);
    }
    case "oci-archive": {
      const { path, selector } = splitSelector(rest);
      const location = { transport, ...(path !== "-" && { path }) } as const;
      return new LayoutImage({ name, location }, archive(path), selector, limits);
    }
    case "docker-archive": {
      const located = { name, location: { transport } } as const;
      const colon = rest.indexOf(":");
      if (colon < 0) return new DockerArchiveImage(located, archive(rest), limits);
      return new DockerArchiveImage(located, archive(rest.slice(0, colon)), limits, rest.slice(colon + 1));
    }
  }
}

function refuse(name: string, found: string): never {
  throw new OciUnpackError("INVALID_REFERENCE", `cannot open "${name}": ${found}`, {
    hint: `write it as TRANSPORT:PATH, with one of ${localTransports.join(", ")}`,
  });
}

/**
 * An image in a directory as `skopeo copy … dir:PATH` writes it: `manifest.json`, and each blob under its digest's
 * hexadecimal part.
 */
class DirectoryImage implements ImageSource {
  readonly parallelBlobs = 1;
  readonly attachments: ImageAttachments = {
    signatureFiles: (digest, options = {}) => this.#signatureFiles(digest, options),
  };
  readonly name: string;
  readonly location: ImagePlace;
  readonly #files: ImageFiles;
  readonly #limits: Limits;

  constructor({ name, location }: PlacedImage, files: ImageFiles, limits: Limits) {
    this.name = name;
    this.location = location;
    this.#files = files;
    this.#limits = limits;
  }

  async manifest(descriptor?: Descriptor, { signal }: FetchOptions = {}): Promise<Document> {
    // If manifest.json is an index, the manifests that it lists are beside it as HEX.manifest.json.
    const files = this.#files;
    if (descriptor === undefined && (await files.open("manifest.json")) === undefined) {
      throw new OciUnpackError("NOT_FOUND", `cannot find an image in "${files.name}": there is no "manifest.json"`, {
        hint: 'dir: reads what "skopeo copy … dir:PATH" writes; oci: an OCI layout; oci-archive: and docker-archive: an archive',
      });
    }
    const path = descriptor === undefined ? "manifest.json" : `${encodedOf(descriptor.digest)}.manifest.json`;
    const file = await requireFile(files, path, "the manifest");
    const bytes = await readDocument(file, path, { limits: this.#limits, limit: "manifestBytes", signal });
    return { mediaType: descriptor?.mediaType ?? "", bytes };
  }

  async *blob(descriptor: Descriptor, options: BlobOptions = {}): AsyncGenerator<Uint8Array> {
    const file = await requireFile(this.#files, encodedOf(descriptor.digest), `blob ${descriptor.digest}`);
    yield* readBlob(file, descriptor, options);
  }

  /** Signatures of what `manifest.json` is have no prefix, those of the manifests that it lists their digests. */
  async #signatureFiles(digest: Digest, options: FetchOptions): Promise<readonly SignatureFile[]> {
    const { bytes } = await this.manifest(undefined, options);
    const isTop = digestBy(digest, bytes) === digest;
    const prefix = isTop ? "" : `${encodedOf(digest)}.`;
    return await readSignatureFiles(this.#files, prefix, this.#limits, options.signal);
  }
}
