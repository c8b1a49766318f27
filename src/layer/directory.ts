/** What the rules of layers need to know of a directory, be it on a disk or in memory. Layers are numbered from 0. */
export interface LayerDirectory<Self> {
  /** Nothing for the root. */
  readonly parent: Self | undefined;
  /** Whether it is gone, and everything below it. */
  readonly isRemoved: boolean;
  /** The layer that made it, or the last one with an entry for it. */
  layer: number;
  /** The last layer with an entry for it. */
  describedIn: number;
  /** The last layer that needs it although it may have put nothing into it. */
  neededIn: number;
  /** The last layer that left nothing of lower layers in it. What a layer makes, it makes without. */
  clearedIn: number;
}
