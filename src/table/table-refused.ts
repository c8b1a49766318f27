/**
 * A layer's table of contents breaks a rule. Never reaches a caller of this library: the layer is read instead, and the
 * message becomes a warning.
 */
export class TableRefused extends Error {
  constructor(found: string) {
    super(found);
    this.name = "TableRefused";
  }
}
