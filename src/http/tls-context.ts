import { X509Certificate } from "node:crypto";
import type { AgentOptions } from "node:https";
import * as tlsModule from "node:tls";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { present } from "../base/present.ts";
import { errorCode } from "../base/system-error.ts";
import type { TlsMaterial } from "./options.ts";
import { RequestFailure } from "./request-failure.ts";

/** Options for an agent with one TLS context: without it Node would parse all certificates for each connection. */
export function tlsOptions(tls: TlsMaterial | undefined): AgentOptions {
  if (tls === undefined) return {};
  return { secureContext: secureContextFor(tls), rejectUnauthorized: tls.insecureSkipVerify !== true };
}

function secureContextFor({ ca = [], cert, key }: TlsMaterial): SecureContext {
  try {
    for (const certificate of ca) new X509Certificate(certificate); // OpenSSL itself ignores what it cannot read
    return createSecureContext(
      present({ ca: ca.length === 0 ? undefined : [...trustedAuthorities(), ...ca], cert, key }),
    );
  } catch (cause) {
    const found = errorCode(cause) ?? "they are not PEM";
    const hint =
      found === "ERR_OSSL_X509_KEY_VALUES_MISMATCH"
        ? "the key is not the certificate's: give a pair that belongs together (`tls.cert`, `tls.key`, or in certs.d)"
        : "correct what `tls.ca`, `tls.cert` and `tls.key`, or certs.d, have";
    throw new RequestFailure("CERTIFICATE", `the certificates or the key configured for it are unusable: ${found}`, {
      hint,
      cause,
    });
  }
}

/** Whether Node can list the authorities that it trusts, as it can since 22.15. */
export function tellsAuthorities(): boolean {
  return "getCACertificates" in tlsModule;
}

/** The authorities that Node trusts; since Node 22.15 with those that are configured for it. */
function trustedAuthorities(): readonly string[] {
  const { getCACertificates } = tlsModule as { getCACertificates?: (type: "default") => string[] };
  return getCACertificates?.("default") ?? rootCertificates;
}
