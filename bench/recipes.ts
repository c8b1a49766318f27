import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { output } from "../test/support/command.ts";
import type { Container, Workshop } from "./workshop.ts";

/** An image of the corpus. Made in this order, so that later ones can stand on earlier ones. */
export interface Recipe {
  readonly name: string;
  /** What it stands for, in the results' table. */
  readonly description: string;
  make(workshop: Workshop): Promise<void>;
}

export const recipes: readonly Recipe[] = [
  { name: "tiny", description: "static busybox and time zones, 1 layer", make: tiny },
  { name: "layers60", description: "60 small layers with deletions", make: manyLayers },
  { name: "debian", description: "minimal Debian, 1 layer", make: debian },
  { name: "python", description: "Debian, Python with numpy and scipy, deletions; 3 layers", make: python },
  { name: "node-modules", description: "Debian and over 100,000 small files, 4 layers", make: nodeModules },
  { name: "toolchain", description: "Debian and compilers, 2 layers", make: toolchain },
];

async function tiny(workshop: Workshop): Promise<void> {
  await workshop.layer("tiny", undefined, async ({ root }) => {
    await unpackPackages(workshop, root, ["busybox-static", "tzdata"]);
    for (const applet of (await output(join(root, "usr/bin/busybox"), ["--list"])).trim().split("\n")) {
      if (applet !== "busybox") await symlink("busybox", join(root, "usr/bin", applet));
    }
    await symlink("usr/bin", join(root, "bin"));
  });
}

async function debian(workshop: Workshop): Promise<void> {
  const codename = /^VERSION_CODENAME=(.*)$/m.exec(await readFile("/etc/os-release", "utf8"))?.[1] ?? "stable";
  const options = ["--quiet", "--variant=minbase", "--format=directory", "--skip=output/dev"];
  await workshop.layer("debian", undefined, async ({ root }) => {
    await output("mmdebstrap", [...options, codename, root, ...(await packageSources())]);
  });
}

async function python(workshop: Workshop): Promise<void> {
  await workshop.layer("python-installed", "debian", (container) =>
    install(container, "python3 python3-numpy python3-scipy"),
  );
  await workshop.layer("python", "python-installed", ({ run }) =>
    run(`
      rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/share/doc /usr/share/man
      find /usr/lib/python3* -depth -type d \\( -name tests -o -name __pycache__ \\) -exec rm -rf {} +
      mkdir -p /srv/app && echo 'import scipy' > /srv/app/main.py
    `),
  );
}

async function nodeModules(workshop: Workshop): Promise<void> {
  await workshop.layer("node", "debian", (container) => install(container, "nodejs"));
  await workshop.layer("node-installed", "node", async ({ root }) => {
    const app = join(root, "srv/app");
    await mkdir(app, { recursive: true });
    await writeFile(join(app, "package.json"), JSON.stringify({ private: true, dependencies: manySmallFiles }));
    await output("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund"], { directory: app });
  });
  await workshop.layer("node-modules", "node-installed", async ({ root }) => {
    await writeFile(join(root, "srv/app/index.js"), "console.log('hello');\n");
    await rm(join(root, "srv/app/node_modules/.bin"), { recursive: true });
  });
}

async function toolchain(workshop: Workshop): Promise<void> {
  await workshop.layer("toolchain", "debian", (container) =>
    install(container, "g++ clang llvm rustc golang-go cmake"),
  );
}

/** A base and 59 layers of forty files each, of which every fifth takes away a directory of the layer before. */
async function manyLayers(workshop: Workshop): Promise<void> {
  const random = pseudoRandomBytes(60);
  for (let layer = 1; layer < 60; layer += 1) {
    const image = layer === 59 ? "layers60" : `layers-${layer}`;
    await workshop.layer(image, layer === 1 ? "tiny" : `layers-${layer - 1}`, async ({ root }) => {
      const directory = join(root, "srv", `layer-${layer}`);
      await mkdir(directory, { recursive: true });
      for (let file = 0; file < 40; file += 1) {
        await writeFile(join(directory, `file-${file}`), random(256 + ((layer * 977 + file * 331) % 8192)));
      }
      if (layer % 5 === 0) await rm(join(root, "srv", `layer-${layer - 1}`), { recursive: true });
    });
  }
}

/** Published packages of many small files; the versions are fixed so that two corpora are alike. */
const manySmallFiles = {
  "@babel/preset-env": "7.24.7",
  "@mui/icons-material": "5.15.20",
  "@mui/material": "5.15.20",
  "@emotion/react": "11.11.4",
  "@emotion/styled": "11.11.5",
  "@tabler/icons-react": "3.5.0",
  antd: "5.18.0",
  "aws-sdk": "2.1640.0",
  "bootstrap-icons": "1.11.3",
  "core-js": "3.37.1",
  "date-fns": "2.30.0",
  eslint: "8.57.0",
  jest: "29.7.0",
  lodash: "4.17.21",
  "lucide-react": "0.395.0",
  react: "18.3.1",
  "react-dom": "18.3.1",
  rxjs: "7.8.1",
  typescript: "5.4.5",
  webpack: "5.92.0",
};

/** Installs Debian packages in a container. A machine's mirror may be a snapshot, whose lists count as expired. */
function install({ run }: Container, packages: string): Promise<void> {
  return run(`
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o Acquire::Check-Valid-Until=false update
    apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends ${packages}
    apt-get clean
  `);
}

/** The files of Debian packages, without their scripts being run. */
async function unpackPackages(workshop: Workshop, root: string, packages: readonly string[]): Promise<void> {
  const downloads = join(workshop.directory, "packages");
  await mkdir(downloads, { recursive: true });
  await output("apt-get", ["-qq", "-o", "APT::Sandbox::User=root", "download", ...packages], { directory: downloads });
  for (const archive of await readdir(downloads)) await output("dpkg-deb", ["-x", join(downloads, archive), root]);
}

/** This machine's own apt sources, as far as they are of the network. */
async function packageSources(): Promise<string[]> {
  const directory = "/etc/apt/sources.list.d";
  const files = ["/etc/apt/sources.list", ...(await readdir(directory)).map((file) => join(directory, file))];
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
  return files.filter((_, index) => /https?:\/\//.test(texts[index] ?? ""));
}

/** Bytes that no compression shrinks and that are the same in every corpus (xorshift32). */
function pseudoRandomBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & 0xff;
    });
}
