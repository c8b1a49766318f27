import { test } from "node:test";
import { shareOf } from "../support/thorough.ts";
import { consumers, type Use } from "./consumers.ts";
import { assertLinear, fourTimes } from "./growth.ts";
import { type LayerShape, layerShapes } from "./layer-shapes.ts";

for (const [number, shape] of layerShapes.entries()) {
  for (const what of shareOf(9, Object.keys(consumers) as Use[], number)) {
    if (shape.except.includes(what)) continue;
    test(`layers ${what} in linear time that have ${fourTimes(shape.few)} ${shape.name}`, () => {
      return assertLinear(shape.few, (count) => consumers[what](layersOf(shape, count)));
    });
  }
}

/** The layers of the shape that was asked for last: all of them together would be much to hold. */
const latest = { shape: undefined as LayerShape | undefined, made: new Map<number, readonly Uint8Array[]>() };

function layersOf(shape: LayerShape, count: number): readonly Uint8Array[] {
  if (latest.shape !== shape) latest.made.clear();
  latest.shape = shape;
  const layers = latest.made.get(count) ?? shape.make(count);
  latest.made.set(count, layers);
  return layers;
}
