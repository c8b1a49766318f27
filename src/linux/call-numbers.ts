import { arch } from "node:process";

/**
 * Numbers of system calls for which not every C library has a function. From 424 on they are the same on all machines.
 */
export const calls = {
  landlockCreateRuleset: 444,
  landlockAddRule: 445,
  landlockRestrictSelf: 446,
  openat2: 437,
  ...oldCalls(),
} as const;

function oldCalls(): { readonly getdents64: number; readonly statx: number } {
  if (arch === "x64") return { getdents64: 217, statx: 332 };
  return { getdents64: 61, statx: 291 }; // the generic table: arm64, riscv64, loong64
}
