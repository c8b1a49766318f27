import { invalidOption, settleLimits } from "../base/option-checks.ts";
import type { SandboxPolicy } from "../base/option-words.ts";
import { present } from "../base/present.ts";
import { applySettings, type IdMapping, type RootfsSettings } from "../layer/settings.ts";
import type { SelectionPatterns } from "../tree/selection.ts";
import type { UnpackOptions } from "./options.ts";

/** The options of an unpacking, checked and with every default settled. */
export interface UnpackSettings {
  readonly sandbox: SandboxPolicy;
  readonly apply: RootfsSettings;
  /** Which part of the image is wanted. */
  readonly selection: SelectionPatterns;
}

/**
 * Settles what a caller passed, of the right kinds by now, and checks what more it has to be. Throws `INVALID_OPTION`.
 */
export function settle(options: UnpackOptions): UnpackSettings {
  const { sandbox = "require", include, exclude, uidMap, gidMap } = options;
  checkIdMap("uidMap", uidMap);
  checkIdMap("gidMap", gidMap);
  return {
    sandbox,
    apply: applySettings({ ...options, limits: settleLimits(options.limits) }),
    selection: present({ include: patterns("include", include), exclude: patterns("exclude", exclude) }),
  };
}

function patterns(option: string, texts: readonly string[] | undefined): readonly string[] | undefined {
  for (const text of texts ?? []) {
    if (/^[/.]*$/.test(text)) throw invalidOption(option, `"${text}" names nothing`, patternHint);
    const fault = patternFault(text);
    if (fault !== undefined) throw invalidOption(option, `"${text}" ${fault}`, patternHint);
  }
  return texts;
}

const patternHint = "patterns are paths from the root, as in etc, usr/*/bin or **/*.pem";

/** What makes a pattern one that nothing can match, or that means something else than whoever wrote it thinks. */
function patternFault(text: string): string | undefined {
  if (text.split("/").includes("..")) return "leads upwards with .., and patterns are paths from the root";
  // Linear: nothing else is repeated than what is in one pair of brackets.
  const withoutSets = text.replaceAll(/\[[!^]?\]?[^\]]*\]/g, "");
  if (withoutSets.includes("[")) return "has a [ that no ] closes; a [ itself is [[]";
  const hasAlternatives = /\{[^{}]*,[^{}]*\}/.test(withoutSets);
  return hasAlternatives ? "has alternatives in braces: give the option for each; a { itself is [{]" : undefined;
}

const idCount = 2 ** 32 - 1;

function checkIdMap(option: string, map: readonly IdMapping[] = []): void {
  for (const { containerID, hostID, size } of map) {
    if (size === 0) throw invalidOption(option, "a range of 0 ids maps nobody");
    for (const id of [containerID, hostID]) {
      if (id + size <= idCount) continue;
      throw invalidOption(option, `${size} ids from ${id} on are more than there are`);
    }
  }
}
