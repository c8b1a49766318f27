import { Buffer } from "node:buffer";
import type { ArtifactResult, Descriptor } from "../index.ts";
import type { ArtifactData, DescriptorData } from "./json-outputs.ts";

/** A descriptor for JSON, where bytes are base64. */
export function descriptorData({ data, ...descriptor }: Descriptor): DescriptorData {
  return data === undefined ? descriptor : { ...descriptor, data: Buffer.from(data).toString("base64") };
}

/** The result of an artifact for JSON. */
export function artifactData({ files, ...result }: ArtifactResult): ArtifactData {
  return { ...result, files: files.map((file) => ({ ...file, descriptor: descriptorData(file.descriptor) })) };
}
