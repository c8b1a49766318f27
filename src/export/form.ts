/** What a root filesystem can be written as: an archive, or a file that the kernel can mount. */
export type ExportForm = "tar" | "erofs" | "squashfs" | "ext4";

export const exportForms: readonly ExportForm[] = ["tar", "erofs", "squashfs", "ext4"];
