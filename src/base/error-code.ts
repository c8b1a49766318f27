/** The name that Node gave an error, such as "ENOENT" or "ERR_TLS_CERT_ALTNAME_INVALID", if it gave one. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Tells whether a system call failed with one of these errors. */
export function isErrno(error: unknown, ...names: readonly string[]): boolean {
  const code = errorCode(error);
  return code !== undefined && names.includes(code);
}
