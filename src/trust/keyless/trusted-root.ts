import { Buffer } from "node:buffer";
import type { X509Certificate } from "@sigstore/core";
import { TrustedRoot as Document } from "@sigstore/protobuf-specs";
import { type TrustMaterial, toTrustMaterial } from "@sigstore/verify";
import { OciUnpackError, retold } from "../../base/errors.ts";
import { invalidOption, pathOf } from "../../base/option-checks.ts";
import { JsonValue } from "../../oci/json-value.ts";
import { readOptionFile } from "../option-file.ts";
import { publicTrustedRoot } from "./public-trusted-root.ts";

/** Whom certificates are believed from, and which logs and timestamp authorities. */
export interface TrustedRoot {
  /** In words, for decisions and errors. */
  readonly name: string;
  readonly material: TrustMaterial;
  /** Whether it has the names of logs, besides their keys. Default: true. */
  readonly areLogsNamed?: boolean;
  /** Which of its certificates end a path. Default: those that signed themselves. */
  readonly isAnchor?: (certificate: X509Certificate) => boolean;
}

const option = "trust.trustedRoot";
const hint = "name a trusted_root.json of Sigstore, as `cosign trusted-root create` writes one";

const documentTypes: readonly string[] = [
  "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
  "application/vnd.dev.sigstore.trustedroot.v0.2+json",
];

/** Reads the trusted root of a file; without one, that of the public Sigstore instance. Throws `INVALID_OPTION`. */
export async function readTrustedRoot(file: string | URL | undefined): Promise<TrustedRoot> {
  if (file === undefined) {
    const { date, json } = publicTrustedRoot;
    return trustedRoot(Buffer.from(json), `the trusted root of the public Sigstore instance of ${date}`);
  }
  const path = pathOf(option, file);
  return trustedRoot(await readOptionFile(path, { option, what: "trusted root", hint }), `the trusted root "${path}"`);
}

/** Reads a trusted root (sigstore_trustroot.proto). Throws `INVALID_OPTION`. */
function trustedRoot(bytes: Uint8Array, name: string): TrustedRoot {
  const { value, type } = typedDocument(bytes, name);
  if (!documentTypes.includes(type)) {
    throw invalidOption(option, `the media type of ${name} is "${type.slice(0, 100)}"`, hint);
  }
  try {
    const root = Document.fromJSON(value.json);
    insistOnStarts(root);
    return { name, material: toTrustMaterial(root) };
  } catch (error) {
    if (error instanceof OciUnpackError) throw error;
    throw invalidOption(option, `${name} cannot be used: ${String(error).slice(0, 200)}`, hint);
  }
}

function typedDocument(bytes: Uint8Array, name: string): { readonly value: JsonValue; readonly type: string } {
  try {
    const value = JsonValue.parse(bytes, name.replace(/^the /, ""), "INVALID_OPTION");
    return { value, type: value.required("mediaType").string() };
  } catch (error) {
    if (!(error instanceof OciUnpackError)) throw error;
    throw retold(error, error.message, { hint, cause: error });
  }
}

/** From when on a log's key or an authority counts must not be left out: it would count at any time. */
function insistOnStarts({ tlogs, ctlogs, certificateAuthorities, timestampAuthorities }: Document): void {
  const periods = [
    ...[...tlogs, ...ctlogs].map(({ publicKey }) => publicKey?.validFor),
    ...[...certificateAuthorities, ...timestampAuthorities].map(({ validFor }) => validFor),
  ];
  if (periods.some((period) => period?.start === undefined)) {
    throw invalidOption(option, "it does not say from when on each of its logs and authorities counts", hint);
  }
}
