import type { ByteSource } from "../tar/entry.ts";
import type { DataFacts } from "./toc-entry.ts";

/** The body of entries whose data are known and not there: an index has none, or somebody has read them before. */
export abstract class KnownBody implements ByteSource {
  /** What is known of the data of the entry that came last. */
  abstract get facts(): DataFacts;

  read(): undefined {}
}
