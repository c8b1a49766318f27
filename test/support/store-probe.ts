import { registrySource, store, storedSource, unpack } from "../../src/index.ts";

// A process of its own that unpacks through a store: one that can be killed, and one of several that share it.

const [reference = "", storeDirectory = "", directory = ""] = process.argv.slice(2);

await using source = storedSource(registrySource(), store(storeDirectory));
const { downloadedBytes } = await unpack(reference, directory, { source, platform: "linux/amd64" });
process.stdout.write(String(downloadedBytes));
