import { Buffer } from "node:buffer";
import type { ByteString } from "../tar/byte-string.ts";

type Attributes = ReadonlyMap<ByteString, Uint8Array>;

/** As much as Linux keeps of one file's attributes, and well below what a command line may have. */
const mostBytes = 65_536;

/**
 * Those of the root's extended attributes that sqfstar can be told, which does not take them from an archive: on its
 * command line, where only plain names mean themselves.
 */
export function tellableOfRoot(xattrs: Attributes): Attributes {
  let bytes = 0;
  return new Map(
    [...xattrs].filter(([name, value]) => {
      if (!/^(?:user|trusted|security)\.[\w.:-]+$/.test(name) || bytes + name.length + value.length > mostBytes)
        return false;
      bytes += name.length + value.length;
      return true;
    }),
  );
}

/** The arguments by which sqfstar is told. */
export function rootAttributeArguments(xattrs: Attributes): readonly string[] {
  return [...tellableOfRoot(xattrs)].flatMap(([name, value]) => {
    return ["-p", `/ x ${name}=0s${Buffer.from(value).toString("base64")}`];
  });
}
