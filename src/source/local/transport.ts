import { OciUnpackError } from "../../errors.ts";
import { parseReference } from "../../oci/reference.ts";
import { unlessAborted } from "../../unless-aborted.ts";
import type { ImageSource, Source } from "../source.ts";
import { ArchiveFiles } from "./archive-files.ts";
import { DirectoryFiles } from "./directory-files.ts";
import { DirectoryImage } from "./directory-image.ts";
import { DockerArchiveImage } from "./docker-archive.ts";
import type { Files } from "./files.ts";
import { LayoutImage, splitSelector } from "./layout.ts";

/** The kinds of places on this machine where an image may lie, by the names that skopeo gave them. */
export const localTransports = ["oci", "oci-archive", "docker-archive", "dir"] as const;
export type LocalTransport = (typeof localTransports)[number];

/** Splits `TRANSPORT:REST` where the transport is one of this machine's places. */
export function splitTransport(
  name: string,
): { readonly transport: LocalTransport; readonly rest: string } | undefined {
  const colon = name.indexOf(":");
  const transport = localTransports.find((known) => known === name.slice(0, colon));
  return transport === undefined ? undefined : { transport, rest: name.slice(colon + 1) };
}

export interface LocalOptions {
  /** What `-` stands for in place of an archive's path. Default: this process's standard input, if nothing else reads it. */
  readonly standardInput?: AsyncIterable<Uint8Array>;
}

/**
 * Images on this machine: `oci:PATH[:NAME|@DIGEST]`, `oci-archive:PATH[:NAME|@DIGEST]`, `docker-archive:PATH[:REFERENCE]`,
 * `dir:PATH`. An archive's path may be `-` for standard input.
 */
export function localSource({ standardInput }: LocalOptions = {}): Source {
  const opened: Files[] = [];
  const closing = new AbortController();
  const options = { signal: closing.signal, ...(standardInput !== undefined && { standardInput }) };
  const open = async (path: string): Promise<Files> => {
    const files = await ArchiveFiles.open(path, options);
    opened.push(files);
    if (closing.signal.aborted) await close();
    return files;
  };
  const close = async (): Promise<void> => {
    for (const files of opened.splice(0)) await files[Symbol.asyncDispose]();
  };
  /** Opens an archive when its first byte is needed, once, and until the source is disposed of. */
  const archive = (path: string): OpenFiles => {
    let files: Promise<Files> | undefined;
    return (signal) => {
      files ??= open(path);
      // Who waits may give up; another one may still want the same archive.
      return unlessAborted(files, signal);
    };
  };
  return {
    image: (name) => openImage(name, archive),
    async [Symbol.asyncDispose]() {
      closing.abort();
      await close();
    },
  };
}

type OpenFiles = (signal?: AbortSignal) => Promise<Files>;

function openImage(name: string, archive: (path: string) => OpenFiles): ImageSource {
  const { transport, rest } = splitTransport(name) ?? refuse(name, "it names no place on this machine");
  if (rest === "" || rest.startsWith(":")) refuse(name, "it names no path");
  switch (transport) {
    case "dir":
      return new DirectoryImage(name, new DirectoryFiles(rest));
    case "oci": {
      const { path, selector } = splitSelector(rest);
      return new LayoutImage(name, async () => new DirectoryFiles(path), selector);
    }
    case "oci-archive": {
      const { path, selector } = splitSelector(rest);
      return new LayoutImage(name, archive(path), selector);
    }
    case "docker-archive": {
      const colon = rest.indexOf(":");
      if (colon < 0) return new DockerArchiveImage(name, archive(rest));
      parseReference(rest.slice(colon + 1));
      return new DockerArchiveImage(name, archive(rest.slice(0, colon)), rest.slice(colon + 1));
    }
  }
}

function refuse(name: string, found: string): never {
  throw new OciUnpackError("INVALID_REFERENCE", `cannot open "${name}": ${found}`, {
    hint: `write it as TRANSPORT:PATH, with one of ${localTransports.join(", ")}`,
  });
}
