import { existsSync, readdirSync } from "node:fs";

/** Debian's kernel for virtual machines, the newest that is installed; a path where nothing is if there is none. */
export const cloudKernel = `/boot/${kernels().at(-1) ?? "vmlinuz-cloud-amd64"}`;

function kernels(): readonly string[] {
  if (!existsSync("/boot")) return [];
  return readdirSync("/boot")
    .filter((name) => /^vmlinuz-.*-cloud-amd64$/.test(name))
    .sort();
}
