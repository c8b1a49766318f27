/**
 * Seconds of processor time that a piece of work takes, of all threads of this process.
 *
 * Unlike the time on the wall it hardly depends on what else the machine does.
 */
export function processorSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  return secondsSince(before);
}

/** The same for what waits. */
export async function processorSecondsOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  return secondsSince(before);
}

function secondsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000_000;
}
