import { JsonValue } from "../oci/json-value.ts";

/** The type of an envelope's payload that is a statement. */
export const statementPayloadType = "application/vnd.in-toto+json";

const statementTypes: readonly string[] = [
  "https://in-toto.io/Statement/v1",
  "https://in-toto.io/Statement/v0.1", // as cosign 2.5 writes it
];

/** What somebody states about an image (in-toto attestation, "Statement"). */
export interface Statement {
  readonly predicateType: string;
  /** The SHA-256 digests that it is about, in hexadecimal. */
  readonly subjects: readonly string[];
  /** As it came from JSON. */
  readonly predicate: unknown;
}

/** Parses a statement whose signature was verified (V3, V4). Throws `SIGNATURE_INVALID`. */
export function parseStatement(bytes: Uint8Array): Statement {
  const value = JsonValue.parse(bytes, "statement", "SIGNATURE_INVALID");
  const type = value.required("_type").string();
  if (!statementTypes.includes(type)) value.refuse(`its _type is "${type.slice(0, 100)}"`);
  const subjects = value.required("subject").list();
  return {
    predicateType: value.required("predicateType").string(),
    subjects: subjects.flatMap((subject) => subject.required("digest").optional("sha256")?.string() ?? []),
    predicate: value.optional("predicate")?.json,
  };
}
