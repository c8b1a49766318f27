import { arch } from "node:process";

/** The numbers of system calls that the C library has no function for everywhere. From 424 on all machines agree. */
export const calls = {
  landlockCreateRuleset: 444,
  landlockAddRule: 445,
  landlockRestrictSelf: 446,
  openat2: 437,
  setxattrat: 463,
  getxattrat: 464,
  listxattrat: 465,
  removexattrat: 466,
  ...oldCalls(),
} as const;

function oldCalls(): { readonly getdents64: number; readonly statx: number } {
  if (arch === "x64") return { getdents64: 217, statx: 332 };
  return { getdents64: 61, statx: 291 }; // the generic table: arm64, riscv64, loong64
}
