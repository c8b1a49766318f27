import { Buffer } from "node:buffer";
import { failure } from "../layer/findings.ts";
import { readSomeAt } from "../linux/content.ts";
import { errnos } from "../linux/errno.ts";
import type { LineExtent } from "../store/kept-trees.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import type { Line } from "./tree-list.ts";

const listName = byteStringOf("entries");

/** Reads a line of a list, which was verified before: it is as this program wrote it. */
export function readLine<Kind extends Line>(list: number, [start, length]: LineExtent): Kind {
  const line = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const read = readSomeAt(list, line.subarray(done), start + done);
    if (read <= 0) throw failure("read", listName, "pread", read === 0 ? -errnos.EIO : read);
    done += read;
  }
  return JSON.parse(line.toString("utf8")) as Kind;
}
