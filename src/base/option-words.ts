// The words that options may have. The library checks options by them, and the command its command line.

/** How strictly the threads that touch image bytes are confined by Landlock. */
export const sandboxPolicies = ["require", "prefer", "off"] as const;
/** Whether the threads that touch image bytes must be confined by Landlock, should be, or need not be. */
export type SandboxPolicy = (typeof sandboxPolicies)[number];

export const devicePolicies = ["skip", "create", "placeholder", "error"] as const;
/** What to do with a device node: leave it out, make it, put an empty file in its place, or refuse the image. */
export type DevicePolicy = (typeof devicePolicies)[number];

export const ownerChoices = ["preserve", "ignore"] as const;
/** Whether files get the owners that the image states, or belong to whoever unpacks. */
export type OwnerChoice = (typeof ownerChoices)[number];

export const overlayModes = ["privileged", "userxattr"] as const;
/**
 * Who may mount an overlay: whoever has the privilege to set `trusted.` attributes, or any user, with `-o userxattr`.
 */
export type OverlayKind = (typeof overlayModes)[number];

/** How a kept tree becomes a new one. */
export const cloneModes = ["auto", "reflink", "copy", "hardlink"] as const;

export type CloneMode = (typeof cloneModes)[number];

export const exportForms = ["tar", "erofs", "squashfs", "ext4"] as const;
/** What a root filesystem can be written as: an archive, or a file that the kernel can mount. */
export type ExportForm = (typeof exportForms)[number];

export const copyForms = ["layout", "oci-archive", "docker-archive"] as const;
/** In what form an image is copied; the names are skopeo's. */
export type CopyForm = (typeof copyForms)[number];

export const shortNamePolicies = ["docker", "podman"] as const;
/** Whose a name without a registry is: always Docker Hub's, or what podman's aliases say. */
export type ShortNamePolicy = (typeof shortNamePolicies)[number];

export const differentParts = [
  "type",
  "mode",
  "owner",
  "time",
  "size",
  "content",
  "target",
  "device",
  "xattrs",
  "links",
] as const;
/** What of a file may be different. `links` means which names are the same file. */
export type DifferentPart = (typeof differentParts)[number];
