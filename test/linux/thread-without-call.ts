import { parentPort, workerData } from "node:worker_threads";
import koffi from "koffi";
import { confineThread } from "../../src/linux/confinement.ts";
import { calls } from "../../src/linux/libc.ts";
import { closeDescriptor, openDirectoryBeneath, openDirectoryPath } from "../../src/linux/syscalls.ts";
import { byteStringOf } from "../../src/tar/byte-string.ts";

/*
 * A thread for which there is no openat2, or no listxattrat, as on an older Linux or behind a container's filter: it
 * answers with the error that it is told. Opens a path beneath a directory and tells the answer, what it would say of its
 * sandbox, and the extended attributes that it finds at the path.
 */

const { directory, path, call, errno } = workerData as {
  directory: string;
  path: string;
  call: "openat2" | "listxattrat";
  errno: number;
};

const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const RET_ERRNO = 0x0005_0000;
const RET_ALLOW = 0x7fff_0000;
// BPF: load the number of the call, return the error if it is the missing one's, allow it else.
const filter = [
  { code: 0x20, jt: 0, jf: 0, k: 0 },
  { code: 0x15, jt: 0, jf: 1, k: calls[call] },
  { code: 0x06, jt: 0, jf: 0, k: RET_ERRNO | errno },
  { code: 0x06, jt: 0, jf: 0, k: RET_ALLOW },
];
koffi.struct("sock_filter", { code: "uint16_t", jt: "uint8_t", jf: "uint8_t", k: "uint32_t" });
koffi.struct("sock_fprog", { len: "uint16_t", filter: "sock_filter *" });
const libc = koffi.load(null);
const setPrivileges = libc.func("int prctl(int option, long one, long two, long three, long four)");
const setFilter = libc.func("int prctl(int option, long mode, sock_fprog *program)");
if (setPrivileges(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) throw new Error("cannot give up privileges");
if (setFilter(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { len: filter.length, filter }) < 0) throw new Error("no seccomp");

const handle = openDirectoryPath(directory);
const result = openDirectoryBeneath(handle, byteStringOf(path));
if (result >= 0) closeDescriptor(result);
// What is there is looked for when this is loaded.
const { listXattrsAt } = await import("../../src/linux/xattrs.ts");
const listed = listXattrsAt(handle, byteStringOf(path));
closeDescriptor(handle);
parentPort?.postMessage({ opened: Math.min(result, 0), listed, status: confineThread("off", {}) });
