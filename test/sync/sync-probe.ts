import { type SyncOptions, sync } from "../../src/index.ts";

// A process of its own that syncs, and can be ended: NAME DIRECTORY OPTIONS.

const [name = "", directory = "", options = "{}"] = process.argv.slice(2);

await sync(name, directory, JSON.parse(options) as SyncOptions);
