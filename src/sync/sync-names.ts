/** The name of the root filesystem in a directory that is synced. */
export const rootName = "rootfs";

/** The name under which a new root is made, and the old one is removed. What a sync that was killed left begins so. */
export const stagingName = ".oci-unpack-sync";

/** The directory that is made to become that one. */
export const newStagingName = `${stagingName}-new`;
