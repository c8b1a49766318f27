import { execFileSync } from "node:child_process";
import { delimiter } from "node:path";

/** A Node binary that tests run programs with. */
export interface NodeBinary {
  readonly path: string;
  /** `v24.1.0` */
  readonly version: string;
}

/** This Node, and those that `OCI_UNPACK_NODES` lists as PATH lists directories. */
export function nodes(): readonly NodeBinary[] {
  const others = (process.env.OCI_UNPACK_NODES ?? "").split(delimiter).filter((path) => path !== "");
  return [process.execPath, ...others].map((path) => ({ path, version: versionOf(path) }));
}

function versionOf(path: string): string {
  return execFileSync(path, ["--version"], { encoding: "utf8" }).trim();
}
