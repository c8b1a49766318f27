import { ordinaryUser, root } from "../hostile/as-user.ts";
import type { User } from "../hostile/place.ts";

/** Who runs the command, without being root of the machine. */
export interface Caller {
  readonly user: User;
  /** Whom the files belong to that the command makes, and which of them follow that the caller may give files to. */
  readonly owner: User;
  readonly ids: number;
}

/** Whom a container's root is on the machine where containers have users of their own. */
const first = { uid: 200_000, gid: 300_000 };
const ids = 65_536;
const maps = [`--map-users=0:${first.uid}:${ids}`, `--map-groups=0:${first.gid}:${ids}`];

export const callers = {
  "an ordinary user": { user: ordinaryUser, owner: ordinaryUser, ids: 1 },
  "root of a namespace with one user": {
    user: { ...ordinaryUser, through: ["unshare", "--map-root-user"] },
    owner: ordinaryUser,
    ids: 1,
  },
  "root of a namespace with many users": {
    user: { ...root, through: ["unshare", "--user", ...maps, "--setuid=0", "--setgid=0"] },
    owner: first,
    ids,
  },
} as const satisfies Readonly<Record<string, Caller>>;
