export { type ErrorCode, type ErrorDetails, isOciUnpackError, OciUnpackError } from "./errors.ts";
export type { EventListener, LayerProgress, SandboxStatus, SkipReason, UnpackEvent, WarningCode } from "./events.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export type { Descriptor } from "./oci/descriptor.ts";
export type { Digest } from "./oci/digest.ts";
export type { Platform } from "./oci/platform.ts";
export type {
  ApplyOptions,
  DevicePolicy,
  ResolveOptions,
  SkippedEntry,
  UnpackOptions,
  UnpackResult,
} from "./options.ts";
export { type DockerCredentialsOptions, dockerCredentials } from "./source/credentials.ts";
export { type LoginOptions, login, logout } from "./source/login.ts";
export type { Environment, Machine } from "./source/machine.ts";
export type { Credential, Credentials, RegistryOptions } from "./source/options.ts";
export type { Document, FetchOptions, ImageSource, Source } from "./source/source.ts";
