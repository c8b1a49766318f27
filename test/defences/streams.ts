import type { Defence } from "./defence.ts";

const lent = "source/lent-chunks";
const handed = "rootfs/handed-files";
const ahead = "no more is read ahead than there are threads for, nor of a frame than a thread would take";

/** What bounds bodies that are read past `node:http`, what is read ahead, and files that other threads make. */
export const streamDefences: readonly Defence[] = [
  {
    group: "K",
    what: "what was not read of a long body is no answer to what is asked next",
    file: "src/http/direct-body.ts",
    without: ["if (this.#restBytes > 0 || ", "if ("],
    test: [lent, "what nobody read of a long body is no answer to the next request"],
  },
  {
    group: "K",
    what: "a connection that its server wants to close is not used again",
    file: "src/http/direct-body.ts",
    without: [" || !this.#mayGoOn()", ""],
    test: [lent, "a server that says that it closes the connection is not asked over it again"],
  },
  {
    group: "verification",
    what: "a long body that breaks off is not whole",
    file: "src/http/direct-body.ts",
    without: [
      "while (this.#restBytes + this.#filledBytes > 0)",
      "while (this.#filledBytes > 0 || (this.#end === undefined && this.#restBytes > 0))",
    ],
    test: ["http/body", "a connection that breaks in a long body gives what had come, then its error, and is left"],
  },
  {
    group: "verification",
    what: "no wire is used again that was closed meanwhile",
    file: "src/http/wires.ts",
    without: ["if (wire.socket.destroyed || !wire.socket.writable) continue;", ""],
    test: [lent, "what comes on an idle connection closes it"],
  },
  {
    group: "H",
    what: "a body that falls silent is given up",
    file: "src/http/body.ts",
    without: ["if (isWaiting) this.#incoming.destroy(this.#stalled());", ""],
    test: ["source/downloads", "R-55: a body that falls silent is given up and goes on with another connection"],
  },
  {
    group: "H",
    what: "also one that is read past `node:http`",
    file: "src/http/connection.ts",
    without: ["this.#successor?.ended(error ?? undefined);", ""],
    test: ["source/downloads", "R-55: a body that falls silent is given up and goes on with another connection"],
  },
  {
    group: "H",
    what: "a server that does not answer is given up",
    file: "src/http/deadlines.ts",
    without: ["() => this.#outgoing.destroy(failure)", "() => failure"],
    test: ["source/downloads", "R-55: a server that never answers is given up"],
  },
  {
    group: "H",
    what: "the headers of an answer have 64 KiB",
    file: "src/http/http.ts",
    without: ["const maxHeaderSize = 64 * 1024;", "const maxHeaderSize = 64 * 1024 * 1024;"],
    test: ["source/downloads", "an answer with endless headers is refused"],
  },
  {
    group: "H",
    what: "five redirects are followed",
    file: "src/registry/client.ts",
    without: ["redirects <= mostRedirects", "redirects <= 4 * mostRedirects"],
    test: ["source/redirects", "R-58: five redirects are followed, and not a sixth"],
  },
  {
    group: "H",
    what: "no more of a gzip layer is read ahead than there are threads for",
    file: "src/blob/pieces-ahead.ts",
    without: [
      "filledBytes - readBytes < (threads.length + 2) * pieceBytes",
      "filledBytes >= 0 * (readBytes + pieceBytes + threads.length)",
    ],
    test: ["streams/ahead", ahead],
  },
  {
    group: "H",
    what: "nor of a zstd layer",
    file: "src/blob/frames-ahead.ts",
    without: [" && filledBytes - readBytes < (threads.length + 1) * inputBytes", ""],
    test: ["streams/ahead", ahead],
  },
  {
    group: "H",
    what: "nor of a frame than a thread would take",
    file: "src/blob/frames-ahead.ts",
    without: ["this.#waiting.length === 0 && !isLarge", "this.#waiting.length === 0"],
    test: ["streams/ahead", ahead],
  },
  {
    group: "H",
    what: "256 files are on their way to other threads at most",
    file: "src/rootfs/handed-files.ts",
    without: ["this.#settleFirst(this.#onTheirWay.length >= mostOnTheirWay)", "this.#settleFirst(false)"],
    test: [handed, "no more than 256 files are on their way"],
  },
  {
    group: "H",
    what: "what is known of new directories is a number of names",
    file: "src/rootfs/new-directories.ts",
    without: ["if (this.#count >= mostNames) this.#forgetOldest();", ""],
    test: [handed, "what is in new directories is known of a number of names, and never wrong"],
  },
  {
    group: "H",
    what: "and of directories",
    file: "src/rootfs/new-directories.ts",
    without: ["if (this.#names.size >= mostDirectories) this.#forgetOldest();", ""],
    test: [handed, "what is in new directories is known of a number of names, and never wrong"],
  },
  {
    group: "rules",
    what: "of several errors the first in the archive is told, whichever thread finds it",
    file: "src/rootfs/handed-files.ts",
    without: ["      this.settle();\n      throw error;", "      throw error;"],
    test: [handed, "of several errors the one of the first file in the archive is thrown, whenever it is known"],
  },
  {
    group: "rules",
    what: "a hard link is made to a file that is there, whichever thread makes it",
    file: "src/rootfs/disk-tree.ts",
    without: ["FoundFile | undefined {\n    this.#handed?.settleAt(parent, name);", "FoundFile | undefined {"],
    test: [handed, "a hard link is made to a file that is complete, whoever makes the files"],
  },
  {
    group: "H",
    what: "a download that pauses takes a little each second, so that no server gives it up",
    file: "src/blob/spool.ts",
    without: ["pauses < mostPauses && ", ""],
    test: ["blob/spool", "goes on a little after a second, so that no server gives it up"],
  },
  {
    group: "H",
    what: "nobody waits for the rest of a blob whose digest is not told any more",
    file: "src/blob/spool.ts",
    without: ["else await this.#changed(signal);", "else await this.#changed();"],
    test: ["blob/spool", "a reader that waits for what does not come is told of its abort"],
  },
];
