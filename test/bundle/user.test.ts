import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveUser } from "../../src/bundle/user.ts";
import { processorSeconds } from "../support/processor-time.ts";

const passwd = [
  "root:x:0:0:root:/root:/bin/sh",
  "# a comment",
  "malformed line",
  "app:x:1000:1001:An App:/home/app:/bin/sh",
  "1000:x:0:0:tries to be root by its name:/:/bin/sh",
  "homeless:x:7:7:::",
  "overflow:x:4294967296:4294967296::/:/bin/sh",
].join("\n");
const group = ["root:x:0:", "app:x:1001:", "audio:x:29:app,root", "video:x:44:app", "wheel:x:10:root"].join("\n");

const cases: readonly [string, ReturnType<typeof resolveUser>][] = [
  ["", { uid: 0, gid: 0, additionalGids: [29, 10], home: "/root" }],
  ["app", { uid: 1000, gid: 1001, additionalGids: [29, 44], home: "/home/app" }],
  ["1000", { uid: 1000, gid: 1001, additionalGids: [29, 44], home: "/home/app" }],
  ["app:video", { uid: 1000, gid: 44, additionalGids: [], home: "/home/app" }],
  ["app:7", { uid: 1000, gid: 7, additionalGids: [], home: "/home/app" }],
  ["4711", { uid: 4711, gid: 0, additionalGids: [], home: "/" }],
  ["4711:4712", { uid: 4711, gid: 4712, additionalGids: [], home: "/" }],
  ["homeless", { uid: 7, gid: 7, additionalGids: [], home: "/" }],
];

for (const [user, expected] of cases) {
  test(`the user "${user}" of an image is uid ${expected.uid}, gid ${expected.gid}`, () => {
    assert.deepEqual(resolveUser(user, passwd, group), expected);
  });
}

test("an image without passwd runs as root, or as any number", () => {
  assert.deepEqual(resolveUser("", "", ""), { uid: 0, gid: 0, additionalGids: [], home: "/" });
  assert.equal(resolveUser("65534", "", "").uid, 65534);
});

test("a user or group that the image does not know is named; a number out of range is never root (CVE-2024-40635)", () => {
  for (const user of ["nobody", "app:nogroup", "4294967296", "4294967295", "overflow"]) {
    assert.throws(() => resolveUser(user, passwd, group), { code: "INVALID_CONFIG" }, user);
  }
});

test("a name that is not there tells that the files with the names may not have been chosen", () => {
  for (const [user, accounts] of [
    ["app", ""],
    ["app:audio", passwd],
  ] as const) {
    const hint = /\(`include`, `exclude`\), etc\/passwd and etc\/group have to be in it/;
    assert.throws(() => resolveUser(user, accounts, ""), { code: "INVALID_CONFIG", hint }, user);
  }
});

test("lines that name nobody are passed over, whoever they look like", () => {
  const oddLines = [
    "+::::::",
    "-app::::::",
    ":",
    "app",
    "app:x",
    "app:x:-1:0::/:",
    "app:x: 0:0::/:",
    "app:x:0x0:0::/:",
    " app:x:0:0::/:",
  ];
  const found = { uid: 5, gid: 6, additionalGids: [7], home: "/home/app" };
  const withOdd = (line: string) => `${oddLines.join("\n")}\n${line}\r\n`;
  assert.deepEqual(resolveUser("app", withOdd("app:x:5:6::/home/app"), withOdd("audio:x:7:app")), found);
});

test("of a name that fills a configuration an error shows the beginning", () => {
  for (const user of ["u".repeat(1_000_000), `app:${"g".repeat(1_000_000)}`]) {
    assert.throws(
      () => resolveUser(user, passwd, group),
      (error) => error instanceof Error && error.message.length < 1000,
    );
  }
});

test("files as large as may be take little time, whatever they are filled with", () => {
  const fillings = ["\n", ":", ",", " ", "app:x:1:app,\n", `a${" ".repeat(4000)}b\n`];
  const seconds = processorSeconds(() => {
    for (const filling of fillings) {
      const text = filling.repeat((4 * 1024 * 1024) / filling.length);
      assert.equal(resolveUser("app", `${passwd}\n${text}`, `${group}\n${text}`).uid, 1000);
    }
  });
  assert.ok(seconds < 30, `${seconds} s`);
});
