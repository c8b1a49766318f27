import { Buffer } from "node:buffer";
import { readSomeAt } from "../linux/content.ts";
import type { LineExtent } from "../store/kept-trees.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { TreeChanged, unchanged } from "./kept-source.ts";
import type { Line } from "./tree-list.ts";

const listName = byteStringOf("entries");

/** Reads a line of a list, which was verified before: it is as this program wrote it. Throws `TreeChanged` if it is not. */
export function readLine<Kind extends Line>(list: number, [start, length]: LineExtent): Kind {
  const line = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const read = unchanged(readSomeAt(list, line.subarray(done), start + done), listName, "pread");
    if (read === 0) throw new TreeChanged("its list ends early");
    done += read;
  }
  return JSON.parse(line.toString("utf8")) as Kind;
}
