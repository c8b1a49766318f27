import { subscribe } from "node:diagnostics_channel";
import { homedir } from "node:os";
import type * as Library from "../src/index.ts";
import type { OciUnpackEvent } from "../src/index.ts";
import type { Waits } from "../src/worker/ring-waits.ts";

/** What an unpacking says of itself, on standard output. Times are milliseconds since the process began. */
export interface Profile {
  readonly entries: number;
  readonly layers: number;
  readonly downloadedBytes: number;
  readonly unpackedBytes: number;
  readonly moments: readonly Moment[];
  readonly rings: Readonly<Record<"compressed" | "archives", Ring>>;
  readonly peakMegabytes: number;
  readonly idleMilliseconds: number;
}

export interface Moment {
  readonly what: string;
  readonly milliseconds: number;
}

export interface Ring {
  readonly writer: Waits;
  readonly readers: readonly Waits[];
}

// Started by profile.ts: unpacks an image with the package as it is built, and tells how that went.
const [image = "", directory = ""] = process.argv.slice(2);
const moments: Moment[] = [];
const note = (what: string) => moments.push({ what, milliseconds: performance.now() });
note("Node has started");
let rings: Profile["rings"] | undefined;
subscribe("oci-unpack:rings", (message) => {
  rings = message as Profile["rings"];
  note("all layers are unpacked");
});

const library = (await import(new URL("../../dist/index.js", import.meta.url).href)) as typeof Library;
note("the library is loaded");
const machine = { env: process.env, homeDirectory: homedir(), uid: process.getuid?.() ?? 0 };
await using source = library.sourceFor(image, await library.registryFromEnvironment({ ...machine, plainHttp: true }));
const result = await library.unpack(image, directory, { source, onEvent: heard });
note("everything is in place");
if (rings === undefined) throw new Error("the library told nothing of its rings");
const profile: Profile = {
  ...{ entries: result.entries, layers: result.layers },
  ...{ downloadedBytes: result.downloadedBytes, unpackedBytes: result.unpackedBytes },
  ...{ moments, rings },
  peakMegabytes: (process.resourceUsage().maxRSS * 1024) / 1e6,
  idleMilliseconds: performance.eventLoopUtilization().idle,
};
process.stdout.write(JSON.stringify(profile));

function heard(event: OciUnpackEvent): void {
  if (event.type === "resolved") note("the image is resolved");
  if (event.type === "downloaded") note(`layer ${event.layer + 1} is downloaded`);
  if (event.type === "layer-started") note(`layer ${event.layer + 1} begins`);
  if (event.type === "layer-finished") note(`layer ${event.layer + 1} is unpacked, ${event.entries} entries`);
}
