import { constants } from "node:fs";
import { type FileHandle, lstat, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { OciUnpackError } from "../errors.ts";
import { fileSystemError } from "../file-system-error.ts";
import type { Limits } from "../limits.ts";

/** The image's configuration is a bundle's second one: there `config.json` is the container's. */
const names = ["image-config.json", "config.json"];

/** The image's configuration as an unpacking left it in a directory, byte for byte: its digest tells which image it was. */
export async function recordedConfig(directory: string, { configBytes }: Limits): Promise<Uint8Array> {
  for (const name of names) {
    const config = await readIfThere(join(directory, name), configBytes);
    if (config !== undefined) return config;
  }
  throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": it has no config.json`, {
    hint: "name the directory that an image was unpacked into",
  });
}

/** The root filesystem beside it: of an overlay, what is mounted there. What a symlink leads to is somewhere else. */
export async function rootfsIn(directory: string): Promise<string> {
  const path = resolve(directory);
  const rootfs = join(path, "rootfs");
  const [stat, around, layers] = await Promise.all([rootfs, path, join(path, "layers")].map(statIfThere));
  const isOverlay = layers?.isDirectory() === true;
  if (isOverlay && (stat === undefined || stat.dev === around?.dev)) {
    throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": it is an overlay, and not mounted`, {
      hint: `mount it first, at its place: sh ${join(path, "mount.sh")}`,
    });
  }
  if (stat?.isDirectory() === true) return rootfs;
  throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": it has no directory rootfs`, {
    hint: "name the directory that an image was unpacked into",
  });
}

function statIfThere(path: string) {
  return lstat(path).catch(() => undefined);
}

/** Apart from the loop: there, what esbuild makes of `using` would throw the error of an earlier round again (seen with 0.28). */
async function readIfThere(path: string, limit: number): Promise<Uint8Array | undefined> {
  try {
    // Should it be a fifo, nobody is waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readWhole(file, path, limit);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileSystemError(error, `read "${path}"`);
  }
}

async function readWhole(file: FileHandle, path: string, limit: number): Promise<Uint8Array> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new OciUnpackError("FILE_SYSTEM", `cannot read "${path}": it is no file`);
  const { size } = stat;
  if (size <= limit) return await file.readFile();
  throw new OciUnpackError(
    "LIMIT_EXCEEDED",
    `cannot read "${path}": it has ${size} bytes, ${limit} are allowed (configBytes)`,
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR");
}
