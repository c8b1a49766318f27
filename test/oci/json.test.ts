import assert from "node:assert/strict";
import { test } from "node:test";
import { jsonFault, jsonLine, parseJson } from "../../src/oci/json.ts";
import { Random } from "../model/random.ts";
import { processorSeconds } from "../support/processor-time.ts";
import { isThorough } from "../support/thorough.ts";

test("R-32: what JSON says is what is read", () => {
  const documents = [
    "{}",
    "[]",
    "null",
    '"text"',
    "-1.5e3",
    ' { "a" : [ 1 , { "b" : "\\u00e9\\n\\"}{,[" } , [ ] , "a" , "a" ] } ',
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}]}',
    '{"é":"🐳","":0}',
  ];
  for (const text of documents) assert.deepEqual(parseJson(bytes(text)), JSON.parse(text), text);
});

test("R-32: a key that stands twice in one object is refused, however it is written", () => {
  const documents = [
    '{"a":1,"a":1}',
    '{"a":1,"b":[{}],"a":2}',
    '{"x":[{"y":{"a":1,"a":2}}]}',
    '{"a":1,"\\u0061":2}',
    '{"":1,"":2}',
    '{"a\\"b":1,"a\\"b":2}',
    '{"a\\\\":1,"a\\\\":2}',
    '{"__proto__":1,"__proto__":2}',
  ];
  for (const text of documents)
    assert.throws(() => parseJson(bytes(text)), { name: "SyntaxError", message: /twice/ }, text);
});

test("R-32: equal keys in different objects, and equal strings in a list, are fine", () => {
  for (const text of [
    '[{"a":1},{"a":2}]',
    '{"a":{"a":1}}',
    '["a","a"]',
    '{"a":"b","b":"a"}',
    '{"a":["a",{"a":"a"}]}',
  ]) {
    assert.deepEqual(parseJson(bytes(text)), JSON.parse(text));
  }
});

test("what is not JSON is refused", () => {
  const documents = [
    "",
    " ",
    "{",
    "}",
    "]",
    '"',
    '"\\',
    '{"a":1',
    '{"a" 1}',
    "{a:1}",
    "[1,]",
    "01",
    "1 2",
    "\u00a01",
    "nul",
  ];
  for (const text of [...documents, "<html>", '{"\\x":1}', '{,"a":1}', '["\t"]']) {
    assert.throws(() => parseJson(bytes(text)), { name: "SyntaxError" }, JSON.stringify(text));
  }
});

test("where the text stops being JSON is told, and nothing of what stands there", () => {
  const faults = {
    "root:$y$j9T$secret:19000:0:99999:7:::": 1,
    '{"a": secret}': 7,
    '{"a": "b" "secret"}': 11,
    '{"a":"\\secret"}': 8,
    '["\\u12secret"]': 7,
    '{"a":1}secret': 8,
    "[1.secret]": 4,
    "[tsecret]": 3,
    '["a\tb"]': 4,
  };
  for (const [text, place] of Object.entries(faults)) {
    assert.throws(() => parseJson(bytes(text)), {
      name: "SyntaxError",
      message: `it is not JSON at character ${place}`,
    });
  }
  for (const text of ["", '{"secret', "[1,", '{"a":tru', "-", '["\\']) {
    assert.throws(() => parseJson(bytes(text)), { name: "SyntaxError", message: "its JSON ends too early" }, text);
  }
});

test("whatever follows a fault, it stays one, and JSON has none", () => {
  const random = new Random(7);
  const characters = [...'{}[]:,"\\u0019.-+eE truefalsn\t'];
  for (let round = 0; round < (isThorough ? 20_000 : 5000); round += 1) {
    const text = random.many(1, 12, () => random.oneOf(characters)).join("");
    const place = jsonFault(text);
    if (isJson(text)) assert.equal(place, text.length, text);
    if (place === text.length) continue;
    for (const rest of ["", '"', "}", "1"]) assert.equal(jsonFault(text.slice(0, place + 1) + rest), place, text);
  }
});

test("the line of a member is where its name stands, within others and not in what they say", () => {
  const text = '{ "a": "\\"b\\":",\n"b": [{\n"b": 1}],\n"c": {\n\n"a\\n": 2, "b": {}},\n "c": { "b":\n3 } }';
  for (const [line, ...keys] of [
    [1, "a"],
    [2, "b"],
    [7, "c"],
    [6, "c", "a\n"],
    [7, "c", "b"],
    [undefined, "d"],
    [undefined, "c", "d"],
    [undefined],
  ] as const) {
    assert.equal(jsonLine(text, keys), line, keys.join("."));
  }
  assert.equal(jsonLine("{", ["a"]), undefined);
});

test("bytes that are not UTF-8 are refused rather than replaced", () => {
  for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82]]) {
    const document = Uint8Array.of(0x22, ...bad, 0x22);
    assert.throws(() => parseJson(document), { name: "SyntaxError", message: "it is not UTF-8" });
  }
});

test("UTF-16 and a byte order mark are refused", () => {
  assert.throws(() => parseJson(bytes("\ufeff{}")), {
    name: "SyntaxError",
    message: "it begins with a byte order mark",
  });
  assert.throws(() => parseJson(Uint8Array.of(0xff, 0xfe, 0x7b, 0, 0x7d, 0)), { name: "SyntaxError" });
});

test("security 9: nesting ends at 64", () => {
  assert.doesNotThrow(() => parseJson(bytes("[".repeat(64) + "]".repeat(64))));
  for (const text of ["[".repeat(65) + "]".repeat(65), '{"a":'.repeat(65), "[".repeat(4_000_000)]) {
    assert.throws(() => parseJson(bytes(text)), { name: "SyntaxError", message: "it nests deeper than 64" });
  }
});

test("__proto__ is a key like any other", () => {
  const value = parseJson(bytes('{"__proto__":{"polluted":true}}'));
  assert.deepEqual(Object.keys(value as object), ["__proto__"]);
  assert.equal("polluted" in {}, false);
});

test("four hostile mebibytes are read or refused in time linear in them", () => {
  const size = 4 * 1024 * 1024;
  const hostile: Readonly<Record<string, string>> = {
    "one string of escapes": `"${'\\"'.repeat(size / 2 - 1)}"`,
    "one string of backslashes": `"${"\\\\".repeat(size / 2 - 1)}"`,
    "a million empty objects": `[${"{},".repeat(size / 3 - 1)}{}]`,
    "half a million keys": `{${Array.from({ length: 300_000 }, (_, index) => `"k${index}":0`).join(",")}}`,
    "keys that look like indexes": `{${Array.from({ length: 300_000 }, (_, index) => `"${index * 7919}":0`).join(",")}}`,
    "an unfinished string": `"${"a".repeat(size)}`,
    "quotes only": '"'.repeat(size),
    "closing brackets only": "]".repeat(size),
  };
  for (const [name, text] of Object.entries(hostile)) {
    const document = bytes(text);
    const seconds = processorSeconds(() => {
      try {
        parseJson(document);
      } catch (error) {
        assert.ok(error instanceof SyntaxError, name);
      }
    });
    // A quadratic scan of four million characters takes hours; the bound only has to tell that from slow machines.
    assert.ok(seconds < 30, `${name}: ${seconds} s`);
  }
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
