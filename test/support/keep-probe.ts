import { exportRootfs, registrySource, store, storedSource } from "../../src/index.ts";

// A process of its own that keeps an archive in a store: one that can be killed, and one of several that share it.

const [reference = "", storeDirectory = "", target = ""] = process.argv.slice(2);

await using source = storedSource(registrySource(), store(storeDirectory));
const { kept = "made" } = await exportRootfs(reference, target, { source, platform: "linux/amd64", keep: true });
process.stdout.write(kept);
