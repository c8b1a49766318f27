/**
 * Node's HTTP client.
 *
 * An `import` of the module reads all of its exports, and since Node 22 one of them, `WebSocket`, loads all of undici.
 * Measured on Node 24: 33 ms of processor time for the import, 3 ms for this.
 */
export const { Agent: HttpAgent, request, STATUS_CODES } = process.getBuiltinModule("node:http");
