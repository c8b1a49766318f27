import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { limitExceeded, OciUnpackError } from "../base/errors.ts";
import { ifThere, lstatIfThere } from "../base/if-there.ts";
import type { Limits } from "../base/limits.ts";

/** The image's configuration is a bundle's second one: there `config.json` is the container's. */
const names = ["image-config.json", "config.json"];

/** The image's configuration as an unpacking left it in a directory, byte for byte: its digest tells which image it was. */
export async function recordedConfig(directory: string, { configBytes }: Limits): Promise<Uint8Array> {
  for (const name of names) {
    const config = await readIfThere(join(directory, name), configBytes);
    if (config !== undefined) return config;
  }
  const found = (await lstatIfThere(directory)) === undefined ? "there is no such directory" : "it has no config.json";
  throw new OciUnpackError("NOT_FOUND", `cannot verify "${directory}": ${found}`, {
    hint: "name the directory that an image was unpacked into",
  });
}

/** The root filesystem beside it: of an overlay, what is mounted there. What a symlink leads to is somewhere else. */
export async function rootfsIn(directory: string): Promise<string> {
  const path = resolve(directory);
  const rootfs = join(path, "rootfs");
  const [stat, around, layers] = await Promise.all([rootfs, path, join(path, "layers")].map(lstatIfThere));
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

function readIfThere(path: string, limit: number): Promise<Uint8Array | undefined> {
  return ifThere(`read "${path}"`, async () => {
    // Should it be a fifo, nobody is waited for.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readWhole(file, path, limit);
  });
}

async function readWhole(file: FileHandle, path: string, limit: number): Promise<Uint8Array> {
  const stat = await file.stat();
  if (!stat.isFile()) throw new OciUnpackError("FILE_SYSTEM", `cannot read "${path}": it is no file`);
  const { size } = stat;
  if (size <= limit) return await file.readFile();
  const message = `cannot read "${path}": it has ${size} bytes, ${limit} are allowed (configBytes)`;
  throw limitExceeded(message, "configBytes", { allowed: limit });
}
