import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Secrets } from "../../src/http/secrets.ts";
import { processorSeconds } from "../support/processor-time.ts";

/** With everything in it that some notation writes otherwise. */
const password = 'pä55/w+rd&"<%41\\ 🐳';

function hidden(text: string): string {
  const secrets = new Secrets();
  secrets.add(password);
  return secrets.redacted(text);
}

/** How servers write a text. */
const notations: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "in upper case": (text) => text.replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  JSON: (text) => JSON.stringify(text).slice(1, -1),
  "JSON with escaped slashes": (text) => JSON.stringify(text).slice(1, -1).replaceAll("/", "\\/"),
  "JSON with every unit as a number": (text) => units(text, (unit) => `\\u${unit.toString(16).padStart(4, "0")}`),
  "JSON with every unit as a number in upper case": (text) =>
    units(text, (unit) => `\\u${unit.toString(16).toUpperCase().padStart(4, "0")}`),
  "a URL": encodeURIComponent,
  "a URL with every byte escaped": (text) =>
    [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "a form": (text) => new URLSearchParams({ text }).toString().slice("text=".length),
  HTML: (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
  "HTML with every character as a number": (text) => [...text].map((one) => `&#${one.codePointAt(0)};`).join(""),
  "HTML with hexadecimal numbers": (text) => [...text].map((one) => `&#x${one.codePointAt(0)?.toString(16)};`).join(""),
  base64: (text) => Buffer.from(text).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "base64 with a user": (text) => Buffer.from(`alice:${text}`).toString("base64"),
  "base64 with a longer user": (text) => Buffer.from(`alice2:${text}`).toString("base64"),
  "base64 in the middle": (text) => Buffer.from(`{"u":"ab","p":"${text}"}`).toString("base64"),
};

for (const [name, write] of Object.entries(notations)) {
  test(`a password is blotted out where it is written as ${name}`, () => {
    const shown = hidden(`before <${write(password)}> after`);
    assert.match(shown, /^before <.*\[secret\].*> after$/i);
    const rest = shown.replace(/\[secret\]/g, "").replace(/^before <|> after$/g, "");
    // A part of base64 that others have a share in may remain.
    assert.ok(rest.length <= (name.startsWith("base64") ? 30 : 0), shown);
  });
}

test("and where one notation stands in another", () => {
  const escapes = [
    "JSON with every unit as a number",
    "a URL with every byte escaped",
    "HTML with every character as a number",
  ];
  for (const outer of escapes) {
    for (const inner of [...escapes, "JSON", "a form", "HTML"]) {
      const text = notations[outer]?.(notations[inner]?.(password) ?? "") ?? "";
      assert.equal(hidden(`<${text}>`), "<[secret]>", `${inner} in ${outer}`);
    }
  }
});

test("a user and a password in a link are blotted out", () => {
  assert.equal(
    hidden(`https://alice:${encodeURIComponent(password)}@registry.test/`),
    "https://alice:[secret]@registry.test/",
  );
});

test("what is no secret stays as it is written, escapes and all", () => {
  const text = 'a\\u0041 %41%2f &amp; &#65; + "é" 🐳 \\ \\/ %zz &nothing; \ud83d';
  assert.equal(hidden(text), text);
});

test("of what is cut, no part of a secret remains", () => {
  const secrets = new Secrets();
  secrets.add(password);
  assert.equal(secrets.excerpt(`${"x".repeat(196)}${password}`, 200), `${"x".repeat(196)}[sec`);
});

test("an error that led to another is told without them, and otherwise as it is", () => {
  const secrets = new Secrets();
  secrets.add(password);
  const plain = new Error("nothing", { cause: new Error("in it") });
  assert.equal(secrets.cleansedCause(plain), plain);
  const cause = Object.assign(new Error("outside", { cause: new Error(`inside ${password}`) }), { code: "EX" });
  const clean = secrets.cleansedCause(cause);
  assert.ok(clean instanceof Error && clean.cause instanceof Error && "code" in clean);
  assert.deepEqual([clean.message, clean.code, clean.cause.message], ["outside", "EX", "inside [secret]"]);
  assert.doesNotMatch(clean.cause.stack ?? "", /w\+rd/);
});

test("to look for secrets takes time in proportion to a text, whatever it is made of", () => {
  const secrets = new Secrets();
  for (let number = 0; number < 100; number++) secrets.add(`${password}${number}`);
  for (const piece of ["\\u005c", "%25", "&amp;", "+", "\\\\", "&#x26;#x26;", "aaaa", '\\"']) {
    // Minutes, were all of it read.
    const seconds = processorSeconds(() => secrets.redacted(piece.repeat(1_000_000)));
    assert.ok(seconds < 30, `${piece}: ${seconds} s`);
  }
});

function units(text: string, write: (unit: number) => string): string {
  return Array.from({ length: text.length }, (_, index) => write(text.charCodeAt(index))).join("");
}
