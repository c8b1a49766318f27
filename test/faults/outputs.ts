import { skipWithout } from "../support/tools.ts";

/** A form in which an image can be had. */
export interface Output {
  readonly kind: "directory" | "file";
  readonly args: (image: string, path: string) => readonly string[];
  /** Why it cannot be had here. */
  readonly skip: false | string;
}

export const outputs: Readonly<Record<string, Output>> = {
  rootfs: { kind: "directory", args: (image, path) => [image, path], skip: false },
  bundle: { kind: "directory", args: (image, path) => ["--bundle", image, path], skip: false },
  overlay: { kind: "directory", args: (image, path) => ["--output", "overlay", image, path], skip: false },
  layout: { kind: "directory", args: named("layout"), skip: false },
  tar: { kind: "file", args: named("tar"), skip: false },
  "oci-archive": { kind: "file", args: named("oci-archive"), skip: false },
  "docker-archive": { kind: "file", args: named("docker-archive"), skip: false },
  erofs: { kind: "file", args: named("erofs"), skip: skipWithout("mkfs.erofs") },
  squashfs: { kind: "file", args: named("squashfs"), skip: skipWithout("sqfstar") },
  ext4: { kind: "file", args: named("ext4"), skip: skipWithout("mke2fs") },
};

function named(form: string): Output["args"] {
  return (image, path) => ["--output", form, "-o", path, image];
}
