import { OciUnpackError } from "../base/errors.ts";

/** The user of a container's process, as ids in the container (runtime-spec, config.md, "User"). */
export interface ProcessUser {
  readonly uid: number;
  readonly gid: number;
  readonly additionalGids: readonly number[];
  /** From the image's `/etc/passwd`; `/` for a user that is not there. */
  readonly home: string;
}

interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Resolves `User` of an image's config: `user`, `uid`, `user:group`, `uid:gid`, or a mixture. Empty means root
 * (image-spec, conversion.md, "Config.User").
 *
 * Names are looked up in the texts of the image's `/etc/passwd` and `/etc/group`; a number needs no entry there.
 * Without a group, the user gets the group of its entry and those that list it as a member.
 */
export function resolveUser(user: string, passwd: string, group: string): ProcessUser {
  const [wantedUser = "", wantedGroup = ""] = user.split(":");
  const accounts = parsePasswd(passwd);
  const groups = parseGroup(group);
  const account = findAccount(user, wantedUser, accounts);
  if (wantedGroup !== "") {
    return { uid: account.uid, gid: findGid(user, wantedGroup, groups), additionalGids: [], home: account.home };
  }
  const memberOf = groups.filter(({ members }) => members.includes(account.name)).map(({ gid }) => gid);
  return { uid: account.uid, gid: account.gid, additionalGids: [...new Set(memberOf)], home: account.home };
}

function findAccount(user: string, wanted: string, accounts: readonly Account[]): Account {
  const name = wanted === "" ? "0" : wanted;
  const number = toId(name);
  // A name of digits is a number, so that an image cannot make 1000 root by an entry with that name.
  const found = accounts.find((account) => (number === undefined ? account.name === name : account.uid === number));
  if (found !== undefined) return found;
  if (number !== undefined) return { name: "", uid: number, gid: 0, home: "/" };
  throw unknownName(user, `/etc/passwd has no user "${shown(name)}"`);
}

function findGid(user: string, wanted: string, groups: readonly Group[]): number {
  const gid = toId(wanted) ?? groups.find(({ name }) => name === wanted)?.gid;
  if (gid !== undefined) return gid;
  throw unknownName(user, `/etc/group has no group "${shown(wanted)}"`);
}

function unknownName(user: string, found: string): OciUnpackError {
  return new OciUnpackError("INVALID_CONFIG", `cannot find the image's user "${shown(user)}": ${found} in the image`, {
    hint: "where only a part is chosen (`include`, `exclude`), etc/passwd and etc/group have to be in it; else the image has to be made again, with that user",
  });
}

/** A name from the image for a message, cut if it is long. */
function shown(name: string): string {
  return name.length > 200 ? `${name.slice(0, 200)}...` : name;
}

function parsePasswd(text: string): readonly Account[] {
  return fieldsOf(text).flatMap(([name = "", , uidText = "", gidText = "", , home = ""]) => {
    const uid = toId(uidText);
    const gid = toId(gidText);
    return uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home: home === "" ? "/" : home }];
  });
}

function parseGroup(text: string): readonly Group[] {
  return fieldsOf(text).flatMap(([name = "", , gidText = "", members = ""]) => {
    const gid = toId(gidText);
    return gid === undefined ? [] : [{ name, gid, members: members.split(",").filter((member) => member !== "") }];
  });
}

/** The fields of each line. Comments and empty lines are skipped, as the C library does. */
function fieldsOf(text: string): readonly string[][] {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return lines.map((line) => line.trimEnd().split(":"));
}

/** A user or group id, if the kernel takes it: 2³² − 1 would mean "do not change it" (CVE-2024-40635). */
function toId(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  return id < 2 ** 32 - 1 ? id : undefined;
}

/** The user and group of this machine that are root in a container without privileges. */
export interface Rootless {
  readonly uid: number;
  readonly gid: number;
}
