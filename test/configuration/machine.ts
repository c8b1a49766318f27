import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import type { Environment, SettledMachine } from "../../src/configuration/machine.ts";

/** A made-up machine in a directory of its own: files by their path beneath it, `home` as home directory, helpers in `bin`. */
export interface TestMachine extends SettledMachine {
  readonly root: string;
  path(name: string): string;
  read(name: string): Promise<string>;
}

export interface TestMachineOptions {
  /** Values beginning with `@/` are paths beneath the machine's directory. */
  readonly env?: Environment;
  /** Text, or anything else as JSON. */
  readonly files?: Readonly<Record<string, unknown>>;
  /** Shell scripts, by their name in `bin`, which is on `PATH`. */
  readonly programs?: Readonly<Record<string, string>>;
}

export async function testMachine(context: TestContext, options: TestMachineOptions = {}): Promise<TestMachine> {
  const root = await mkdtemp(join(tmpdir(), "oci-unpack-machine-"));
  context.after(() => rm(root, { recursive: true }));
  const path = (name: string) => join(root, name);

  for (const [name, content] of Object.entries(options.files ?? {})) {
    await mkdir(dirname(path(name)), { recursive: true, mode: 0o755 });
    await writeFile(path(name), typeof content === "string" ? content : JSON.stringify(content));
  }
  for (const [name, script] of Object.entries(options.programs ?? {})) {
    await mkdir(path("bin"), { recursive: true, mode: 0o755 });
    await writeFile(path(`bin/${name}`), `#!/bin/sh\n${script}\n`);
    await chmod(path(`bin/${name}`), 0o755);
  }
  const env = Object.entries(options.env ?? {}).map(([key, value]) => [key, value?.replace(/^@\//, `${root}/`)]);
  const machine = {
    env: { PATH: `${path("bin")}:/usr/bin:/bin`, XDG_RUNTIME_DIR: path("run"), ...Object.fromEntries(env) },
    homeDirectory: path("home"),
    uid: 1000,
    systemDirectory: path("etc"),
  };
  // What the library knows no option of: not enumerable, so that it is not taken for one.
  const own = { root, path, read: (name: string) => readFile(path(name), "utf8") };
  return Object.defineProperties(machine, hidden(own)) as typeof machine & typeof own;
}

function hidden(members: object): PropertyDescriptorMap {
  return Object.fromEntries(Object.entries(members).map(([name, value]) => [name, { value, enumerable: false }]));
}

/** An entry of `auths`. */
export function auth(username: string, password: string): { auth: string } {
  return { auth: Buffer.from(`${username}:${password}`).toString("base64") };
}
