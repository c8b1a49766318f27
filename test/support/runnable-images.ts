import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { type Image, image } from "./image.ts";
import { directory, file, symlink, tar } from "./tar-builder.ts";

/** Debian's static busybox. */
const busybox = "/bin/busybox";

/** What a configuration may say about how an image is run. */
export interface Execution {
  readonly User?: string;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly Volumes?: Readonly<Record<string, object>>;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
}

const accounts = [
  directory("etc"),
  file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:An App:/home/app:/bin/sh\n"),
  file("etc/group", "root:x:0:\napp:x:1001:\naudio:x:29:app\n"),
  directory("root", { mode: 0o700 }),
  directory("home"),
  directory("home/app", { uid: 1000, gid: 1001 }),
];

/** An image that can be run anywhere: a shell and what one needs with it, in one static program. */
export function busyboxImage(config: Execution, ...others: readonly Uint8Array[]): Image {
  const applets = ["sh", "id", "env", "cat", "grep", "hostname", "ls", "touch"];
  const layer = tar(
    directory("bin"),
    file("bin/busybox", readFileSync(busybox), { mode: 0o755 }),
    ...applets.map((name) => symlink(`bin/${name}`, "busybox")),
    ...accounts,
    directory("data"),
    ...others,
  );
  return image([layer], { config: { created: "2024-01-02T03:04:05Z", author: "somebody", config } });
}

/** A small Debian: programs of this machine with the libraries that they load, for a shell that is not static. */
export function debianImage(config: Execution): Image {
  const programs = ["/bin/bash", "/usr/bin/id", "/usr/bin/env", "/bin/cat"].map((path) => realpathSync(path));
  const paths = [...new Set([...programs, ...programs.flatMap(librariesOf)])];
  const merged = ["bin", "lib", "lib64"].filter((name) => isSymlink(`/${name}`));
  const layer = tar(
    directory("usr"),
    ...merged.map((name) => symlink(name, readlinkSync(`/${name}`))),
    ...paths.map((path) => file(path.slice(1), readFileSync(path), { mode: 0o755 })),
    ...accounts,
    file("etc/debian_version", readFileSync("/etc/debian_version")),
  );
  return image([layer], { config: { config } });
}

/** The files that the loader maps for a program, by the paths that the program knows. */
function librariesOf(program: string): readonly string[] {
  const listed = execFileSync("ldd", [program], { encoding: "utf8" });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = ""]) => throughMerged(path)).filter(existsSync);
}

/** `/lib` is a link in Debian: an archive must say where the file really is. */
function throughMerged(path: string): string {
  const [, first = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(path) ?? [];
  return isSymlink(`/${first}`) ? `/${readlinkSync(`/${first}`)}${rest}` : path;
}

function isSymlink(path: string): boolean {
  try {
    return readlinkSync(path) !== "";
  } catch {
    return false;
  }
}
