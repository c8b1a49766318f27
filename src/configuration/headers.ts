/** Tells whether a header can be sent as it stands (RFC 9110, sections 5.1 and 5.5). Anything else could smuggle in another header. */
export function isHeader(name: string, value: string): boolean {
  return /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
}

/** Tells whether a header is the connection's business or the client's own, so that no configuration may set it. */
export function isReservedHeader(name: string): boolean {
  return reserved.has(name.toLowerCase());
}

const reserved = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "content-length",
  "expect",
  "host",
  "if-range",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
