import type { Defence } from "./defence.ts";

const local = "source/local/transport";

/** What keeps images on this machine, and the store, to themselves. */
export const sourceDefences: readonly Defence[] = [
  {
    group: "A",
    what: "a symlink that leads out of a layout or a `dir:` is not read through",
    file: "src/source/local/directory-files.ts",
    without: ["if (place.startsWith(join(directory, sep))) return place;", "if (Math.abs(1) === 1) return place;"],
    test: [local, "a symlink that leads out of a layout is not followed"],
  },
  {
    group: "N",
    what: "what is no JSON is not quoted in a message",
    file: "src/oci/json.ts",
    without: ["const place = jsonFault(text);", "const place = JSON.parse(text);"],
    test: ["oci/json", "where the text stops being JSON is told, and nothing of what stands there"],
  },
];
