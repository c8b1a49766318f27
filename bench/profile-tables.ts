import { grouped, markdownTable } from "./markdown.ts";
import type { Moment, Profile, Ring } from "./profiled.ts";
import type { CallCount } from "./system-calls.ts";
import type { Task } from "./tasks.ts";

/** What was seen of one unpacking, as Markdown. */
export function profileText(image: string, profile: Profile, tasks: readonly Task[]): string {
  const { entries, layers, downloadedBytes, unpackedBytes, moments, rings, peakMegabytes, idleMilliseconds } = profile;
  const sizes = `${(downloadedBytes / 1e6).toFixed(1)} MB that become ${(unpackedBytes / 1e6).toFixed(1)} MB`;
  const seconds = (moments.at(-1)?.milliseconds ?? 0) / 1000;
  return [
    `# ${image}`,
    `${layers === 1 ? "1 layer" : `${layers} layers`}, ${grouped(entries)} entries, ${sizes}: ${seconds.toFixed(2)} s, ${peakMegabytes.toFixed(0)} MB of memory at most.`,
    momentTable(moments),
    taskTable(tasks),
    `The main thread had nothing to do for ${(idleMilliseconds / 1000).toFixed(2)} s.`,
    ringTable(rings),
  ].join("\n\n");
}

/** An image of many layers has its first and its last ones shown. */
function momentTable(moments: readonly Moment[]): string {
  const shown = moments.length <= 40 ? moments : [...moments.slice(0, 20), ...moments.slice(-20)];
  return markdownTable(
    ["moment", "after (ms)"],
    shown.map(({ what, milliseconds }) => [what, milliseconds.toFixed(0)]),
  );
}

const roles: Readonly<Record<string, string>> = {
  main: "main: network, spool, digests of blobs if nobody else",
  "oci-decompress": "oci-decompress: decompression, diffIDs if nobody else",
  "oci-digest": "oci-digest: diffIDs, or blobs",
  "oci-apply": "oci-apply: archives into files",
};

/** The threads of this project, and all others together: V8's helpers and libuv's pool. */
function taskTable(tasks: readonly Task[]): string {
  const others = tasks.filter(({ name }) => roles[name] === undefined);
  const rows = [
    ...tasks.filter(({ name }) => roles[name] !== undefined),
    others.reduce(sum, { name: "", userSeconds: 0, systemSeconds: 0, runnableSeconds: 0, sleeps: 0 }),
  ];
  return markdownTable(
    ["thread", "user (s)", "system (s)", "waited for a processor (s)", "sleeps"],
    rows.map(({ name, userSeconds, systemSeconds, runnableSeconds, sleeps }) => [
      roles[name] ?? `${others.length} others: V8, libuv`,
      ...[userSeconds, systemSeconds, runnableSeconds].map((seconds) => seconds.toFixed(2)),
      grouped(sleeps),
    ]),
  );
}

function sum(a: Task, b: Task): Task {
  return {
    name: a.name,
    userSeconds: a.userSeconds + b.userSeconds,
    systemSeconds: a.systemSeconds + b.systemSeconds,
    runnableSeconds: a.runnableSeconds + b.runnableSeconds,
    sleeps: a.sleeps + b.sleeps,
  };
}

function ringTable({ compressed, archives }: Profile["rings"]): string {
  const ends = [
    ...endsOf("compressed", compressed, "main", ["oci-decompress", "oci-digest"]),
    ...endsOf("archives", archives, "oci-decompress", ["oci-apply", "oci-digest"]),
  ];
  return markdownTable(["ring: who waited", "times", "in all (s)"], ends);
}

function endsOf(name: string, { writer, readers }: Ring, from: string, to: readonly string[]): string[][] {
  const ends = [
    { who: `${from}, for space`, waits: writer },
    ...readers.map((waits, reader) => ({ who: `${to[reader]}, for bytes`, waits })),
  ];
  return ends.map(({ who, waits }) => [
    `${name}: ${who}`,
    grouped(waits.count),
    (waits.milliseconds / 1000).toFixed(2),
  ]);
}

/** Node's own start takes some hundred calls; what is rarer than a fiftieth of the entries is left out. */
export function callTable(calls: readonly CallCount[], entries: number): string {
  const frequent = calls.filter(({ count }) => count >= Math.max(20, entries / 50));
  return markdownTable(
    ["system call", "calls", "failed", "for each entry"],
    frequent.map(({ call, count, failed }) => [call, grouped(count), grouped(failed), (count / entries).toFixed(2)]),
  );
}
