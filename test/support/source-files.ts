import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { repositoryFile } from "./repository.ts";

/** What one file takes from another, or from a package. */
export interface Import {
  /** As it is written: `node:fs`, `koffi`, `../errors.ts`. */
  readonly specifier: string;
  /** The imported file, from the repository's root, where it is one of ours. */
  readonly file: string | undefined;
  /** What is there at run time, by name; `*` and `default` for all of it; nothing for a dynamic import. */
  readonly names: readonly string[];
  /** What only the compiler sees. */
  readonly types: readonly string[];
  /** Whether nothing of it is left at run time. */
  readonly isType: boolean;
  /** Whether it is loaded when it is needed, and not with the file. */
  readonly isDynamic: boolean;
}

/** A source file as its imports show it. */
export interface SourceFile {
  /** From the repository's root: `src/oci/digest.ts`. */
  readonly path: string;
  /** Without comments. */
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Every TypeScript file below a folder of the repository. */
export function sourceFiles(folder: string): SourceFile[] {
  const root = fileURLToPath(repositoryFile(folder));
  const names = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"));
  return names.map((name) => sourceFile(join(folder, name), readFileSync(join(root, name), "utf8")));
}

function sourceFile(path: string, content: string): SourceFile {
  const text = content.replace(/^\s*(?:\/\/.*|\/?\*.*)$/gm, "");
  return {
    path,
    text,
    imports: [...importsIn(text)].map((found) => ({ ...found, file: localFile(path, found.specifier) })),
  };
}

// Biome formats all source, so an import begins its line and ends with a semicolon.
const statement = /^(?:import|export) (type )?((?:[^;"]*) from )?"([^"]+)"[^;]*;/gm;
const dynamicImport = /\bimport\("([^"]+)"\)/g;

function* importsIn(text: string): Iterable<Omit<Import, "file">> {
  for (const [, type, clause = "", specifier = ""] of text.matchAll(statement)) {
    const all = namesIn(clause);
    const isTypeName = (name: string) => type !== undefined || name.startsWith("type ");
    const names = all.filter((name) => !isTypeName(name));
    const types = all.filter(isTypeName).map((name) => name.replace("type ", ""));
    yield { specifier, names, types, isType: types.length > 0 && names.length === 0, isDynamic: false };
  }
  for (const [, specifier = ""] of text.matchAll(dynamicImport)) {
    yield { specifier, names: [], types: [], isType: false, isDynamic: true };
  }
}

/** The names between braces, as the other file exports them; `*` or `default` before or instead of these. */
function namesIn(clause: string): string[] {
  const braces = /\{([^}]*)\}/.exec(clause)?.[1] ?? "";
  const outside = clause
    .replace(/\{[^}]*\}/, "")
    .replace(" from ", "")
    .replaceAll(",", "")
    .trim();
  const whole = outside === "" ? [] : [outside.startsWith("*") ? "*" : "default"];
  const named = braces.split(",").map((name) => name.trim().replace(/ as .*/s, ""));
  return [...whole, ...named.filter((name) => name !== "")];
}

function localFile(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? normalize(join(dirname(from), specifier)) : undefined;
}
