import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { OciUnpackError } from "../base/errors.ts";
import { fileSystemError } from "../base/system-error.ts";
import { makeDirectories, removeCreated } from "../output/made-directories.ts";
import { forceOlderInterface } from "./mount-command.ts";

/** Mounts the overlay whose layers lie in `directory`, with the system's own mount program, at a directory that is made if need be. */
export async function mountOverlay(directory: string, options: string, point: string): Promise<void> {
  const target = resolve(point);
  const attempted = `mount the overlay at "${target}"`;
  const firstCreated = await makeDirectories(target, 0o755).catch((error: unknown) => {
    throw fileSystemError(error, attempted);
  });
  try {
    const command = ["mount", "-t", "overlay", "overlay", "-o", options, target];
    await run("env", [forceOlderInterface, ...command], directory, attempted);
  } catch (error) {
    await removeCreated(target, firstCreated);
    throw error;
  }
}

function run(program: string, args: readonly string[], directory: string, attempted: string): Promise<void> {
  return new Promise((resolvePromise, reject) => {
    const child = spawn(program, args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    child.on("error", (cause) => reject(fileSystemError(cause, attempted)));
    child.on("close", (status, signal) => {
      if (status === 0) return resolvePromise();
      const found =
        said.trim().replace(/\s+/g, " ").slice(0, 500) || `mount ended with ${signal ?? `status ${status}`}`;
      const hint =
        'mount as root, or in a user namespace with `overlay: "userxattr"`; without `mount` nothing is mounted';
      reject(new OciUnpackError("FILE_SYSTEM", `cannot ${attempted}: ${found}`, { hint }));
    });
  });
}
