import type { Defence } from "./defence.ts";

const names = "image/artifact";

/** What keeps an artifact's files where they belong. */
export const artifactDefences: readonly Defence[] = [
  {
    group: "artifacts",
    what: "a layer of an artifact has no absolute name",
    file: "src/image/artifact-files.ts",
    without: [`if (path.startsWith("/")) throw`, "if (false) throw"],
    test: [names, "an absolute name is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "a layer of an artifact has no name with `..` in it",
    file: "src/image/artifact-files.ts",
    without: [`if (names.includes(".." as ByteString)) throw`, "if (false) throw"],
    test: [names, "a name that leads upwards is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "no two layers of an artifact have one name",
    file: "src/image/artifact-files.ts",
    without: ["if (this.#files.has(own)) throw", "if (false) throw"],
    test: [names, "a name that two layers have is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "no layer of an artifact has a name below another's",
    file: "src/image/artifact-files.ts",
    without: ["if (this.#files.has(parent)) throw", "if (false) throw"],
    test: [names, "a name below that of another layer is refused before anything is fetched"],
  },
  {
    group: "artifacts",
    what: "nor one above another's",
    file: "src/image/artifact-files.ts",
    without: ["if (this.#parents.has(own)) throw", "if (false) throw"],
    test: [names, "a name above that of another layer is refused before anything is fetched"],
  },
];
