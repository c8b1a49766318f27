import { OciUnpackError } from "../base/errors.ts";
import type { ArtifactFile } from "../image/artifact-files.ts";
import type { Operation } from "../operation/operation.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { isNothing, type Selection, selection, selectionAt } from "../tree/selection.ts";

/**
 * The files that are wanted, before any of them is fetched. Of an archive a part may be wanted.
 *
 * A pattern that matches nothing is told, or with `strict` an error; what is in an archive is not known yet.
 */
export function chosenFiles(files: readonly ArtifactFile[], { settings, events }: Operation): readonly ArtifactFile[] {
  const { include = [], exclude = [] } = settings.selection;
  for (const pattern of [...include, ...exclude]) {
    const matched = selection({ include: [pattern] });
    if (files.some((file) => isChosen(file, matched))) continue;
    const message = `the pattern "${pattern}" matches nothing in the artifact`;
    if (settings.apply.strict) {
      throw new OciUnpackError("STRICT_VIOLATION", `cannot select a part strictly: ${message}`, {
        hint: "`list` tells what there is; patterns are paths from the root",
      });
    }
    events.find({ type: "warning", code: "PATTERN_UNMATCHED", message });
  }
  const wanted = selection(settings.selection);
  return files.filter((file) => isChosen(file, wanted));
}

function isChosen({ name, form }: ArtifactFile, wanted: Selection): boolean {
  const own = selectionAt(wanted, byteStringOf(name));
  return form === "file" ? own.isWanted : !isNothing(own);
}
