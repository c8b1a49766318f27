import { type Digest, subjectOfTag } from "../oci/digest.ts";

/** The name under which a store keeps what is stored beside an image: that of its repository, with another tag. */
export function attachmentName(imageName: string, tag: string): string {
  return `${repositoryOf(imageName)}:${tag}`;
}

/** What a name of the store stands for that is no image: what is stored beside one of that repository. */
export interface Attachment {
  readonly repository: string;
  /** The manifest or index that it is about. */
  readonly subject: Digest;
}

/** The image beside which something is stored under a name; `undefined` for the name of an image. */
export function attachmentIn(name = ""): Attachment | undefined {
  const colon = name.lastIndexOf(":");
  const subject = subjectOfTag(name.slice(colon + 1));
  return subject && { repository: name.slice(0, colon), subject };
}

/** A canonical name without its tag and digest. */
export function repositoryOf(name: string): string {
  const [withTag = ""] = name.split("@");
  const colon = withTag.lastIndexOf(":");
  return colon > withTag.lastIndexOf("/") ? withTag.slice(0, colon) : withTag;
}
