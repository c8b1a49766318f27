import { PlacedEntries } from "../layer/placed-entries.ts";
import { byteStringOf } from "../tar/byte-string.ts";
import { type SelectionPatterns, selection, selectionAt } from "../tree/selection.ts";
import type { EntrySink } from "../worker/apply-entries.ts";

/** Passes on what is wanted of an archive, with the paths that it has in the artifact. A file's own is as it is. */
export function wantedEntries(next: EntrySink, below: string | undefined, wanted: SelectionPatterns): EntrySink {
  if (below === undefined) return next;
  const entries = new PlacedEntries(byteStringOf(below));
  const whole = selection(wanted);
  return {
    apply(entry, body) {
      const placed = entries.placed(entry);
      if (selectionAt(whole, placed.path).isWanted) next.apply(placed, body);
    },
    end: () => next.end(),
  };
}
