import { truncate } from "node:fs/promises";
import { fileSystemError } from "../base/system-error.ts";
import type { ImageFindings } from "../operation/image-findings.ts";
import { NewFile } from "../output/new-file.ts";
import { readRange } from "../source/local/image-files.ts";
import { type GivenOut, giveOutFile, type OutputRecord, openKeptFile } from "../store/kept-files.ts";
import { type KeptResult, KeptResults, keyOf } from "../store/kept-results.ts";
import { isReadOnly, type StoreUse } from "../store/store-use.ts";
import { type MadeOutput, type Making, makeOutput } from "./make-output.ts";
import { filesOf, OutputToKeep } from "./output-to-keep.ts";

/** What is recorded of an output besides its files: all that is told of it again. */
interface ExportRecord extends OutputRecord {
  readonly made: MadeOutput;
  readonly found: ImageFindings;
}

/**
 * Takes an output out of a store, or makes it and keeps it there. `decides` is all that decides its bytes.
 *
 *     outputs/KEY/record.json  content  [hashes]     the output, and the file of its own that its hash tree may have
 *
 * In a store that is read-only and used offline nothing is kept, and what is there is given out all the same.
 */
export async function keptOrMade(
  use: StoreUse,
  decides: object,
  making: Making,
): Promise<MadeOutput & { readonly kept?: GivenOut }> {
  const { signal, events } = making.operation;
  const results = new KeptResults<ExportRecord>(await use.open({ signal, onEvent: events.tell }), "output");
  const key = keyOf(decides);
  const kept = await results.find(key);
  const how = kept && (await givenOut(kept, making));
  const decide = (message: string) => events.tell({ type: "decision", topic: "store", message });
  if (kept !== undefined && how !== undefined) {
    decide(`the ${making.form} is kept in "${kept.path}": no layer is read`);
    await results.touch(kept);
    events.findAgain(kept.record.found);
    return { ...kept.record.made, downloadedBytes: 0, kept: how };
  }
  if (kept === undefined) decide(`no ${making.form} with these options is kept: it is made`);
  else {
    decide(`what is kept in "${kept.path}" is not as it was: it is made anew`);
    await ifWritable(use, () => results.remove(key));
  }
  await using toKeep = await ifWritable(use, () => OutputToKeep.open(results, making.output));
  return await makeAndKeep(making, toKeep, key);
}

async function makeAndKeep(
  making: Making,
  toKeep: OutputToKeep<ExportRecord> | undefined,
  key: string,
): Promise<MadeOutput> {
  const { operation, accepted, form, output } = making;
  if (toKeep !== undefined) operation.events.takeDown();
  const made = await makeOutput({ ...making, output: toKeep?.output ?? output });
  operation.signal.throwIfAborted();
  const { reference: name, digest } = accepted.image;
  const { found } = operation.events;
  await toKeep?.keep(key, making, (kept) => ({ ...kept, name, digest, form, made, found }));
  return made;
}

/** How what was kept became the output; `undefined` if it is not as it was, and the output is empty as before. */
async function givenOut(kept: KeptResult<ExportRecord>, making: Making): Promise<GivenOut | undefined> {
  const { output, operation } = making;
  try {
    return output instanceof NewFile ? await fill(output, kept, making) : await send(kept, making);
  } catch (error) {
    operation.signal.throwIfAborted();
    const where = output instanceof NewFile ? ` into "${output.temporaryDirectory}"` : "";
    throw fileSystemError(error, `copy what is kept in "${kept.path}"${where}`);
  }
}

/** Fills the file, and the one of its own that its hash tree has. */
async function fill(
  output: NewFile,
  { path: directory, record }: KeptResult<ExportRecord>,
  { hashes, operation }: Making,
): Promise<GivenOut | undefined> {
  const targets = filesOf(output, hashes);
  let how: GivenOut = "reflink";
  for (const { name, path } of targets) {
    const file = record.files.find((each) => each.name === name);
    const given = file && (await giveOutFile(file, directory, path, operation.signal));
    if (given === undefined) {
      for (const { path } of targets) await truncate(path);
      return undefined;
    }
    if (given === "copied") how = given;
  }
  return how;
}

/** Writes an archive into a stream, from which nothing can be taken back: it is verified before. */
async function send(
  { path: directory, record }: KeptResult<ExportRecord>,
  { output, operation }: Making,
): Promise<GivenOut | undefined> {
  const { signal } = operation;
  const [content] = record.files;
  await using file = content && (await openKeptFile(content, directory, signal));
  if (content === undefined || file === undefined) return undefined;
  for await (const chunk of readRange(file, { offset: 0, sizeBytes: content.sizeBytes }, directory, signal))
    await output.write(chunk);
  return "copied";
}

/** What `work` comes to; `undefined` where the store cannot be written to, and need not be. */
async function ifWritable<T>({ isOffline }: StoreUse, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (isOffline && isReadOnly(error)) return undefined;
    throw error;
  }
}
