import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { scratch } from "./scratch.ts";
import { untilListening } from "./until-listening.ts";

/** nginx as a content delivery network: files by their digest, behind links that it checks. */
export interface Nginx extends AsyncDisposable {
  /** `127.0.0.2:port` */
  readonly host: string;
}

/** Serves `files` at `/NAME` with these lines in its configuration's one `location`. */
export async function startNginx(files: ReadonlyMap<string, Uint8Array>, lines: readonly string[]): Promise<Nginx> {
  const temporary = await scratch();
  const root = join(temporary.directory, "root");
  await mkdir(root);
  for (const [name, bytes] of files) await writeFile(join(root, name), bytes);
  const host = `127.0.0.2:${await freePort("127.0.0.2")}`;
  const configuration = join(temporary.directory, "nginx.conf");
  await writeFile(configuration, configurationFor(temporary.directory, root, host, lines));
  const child = spawn("nginx", ["-p", temporary.directory, "-c", configuration, "-e", "stderr"], { stdio: "ignore" });
  const end = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await temporary[Symbol.asyncDispose]();
  };
  try {
    const [address = "", port] = host.split(":");
    await untilListening({ address, port: Number(port) }, "nginx");
    return { host, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

function configurationFor(directory: string, root: string, host: string, lines: readonly string[]): string {
  const temporaryPaths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${join(directory, name)};`,
  );
  return `
    daemon off; master_process off; pid ${join(directory, "pid")};
    ${process.getuid?.() === 0 ? "user root;" : ""}
    events {}
    http {
      access_log off; ${temporaryPaths.join(" ")}
      server { listen ${host}; root ${root}; location / { ${lines.join("\n")} } }
    }`;
}

/** nginx cannot choose a port by itself and say which. */
async function freePort(address: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
