export { type CopyOptions, type CopyResult, copy } from "./copy/copy.ts";
export type { CopyForm } from "./copy/files.ts";
export { type ErrorCode, type ErrorDetails, isOciUnpackError, OciUnpackError } from "./errors.ts";
export type { EventListener, LayerProgress, SandboxStatus, SkipReason, UnpackEvent, WarningCode } from "./events.ts";
export { type ExportOptions, type ExportResult, exportRootfs } from "./export/export.ts";
export type { ExportForm } from "./export/form.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export { type InspectResult, inspect } from "./look/inspect.ts";
export { type ListOptions, type ListResult, list } from "./look/list.ts";
export type { ListedEntry } from "./look/listed.ts";
export type { LookOptions, LookResult } from "./look/looking.ts";
export { type ReadResult, read } from "./look/read.ts";
export type { ExecutionParameters, HistoryEntry, ImageConfig } from "./oci/config.ts";
export type { Descriptor } from "./oci/descriptor.ts";
export type { Digest } from "./oci/digest.ts";
export type { Manifest } from "./oci/manifest.ts";
export { formatPlatform, type Platform, parsePlatform } from "./oci/platform.ts";
export { formatReference, parseReference, type Reference } from "./oci/reference.ts";
export type {
  ApplyOptions,
  DevicePolicy,
  IdMapping,
  ResolveOptions,
  Rootless,
  SkippedEntry,
  UnpackOptions,
  UnpackResult,
} from "./options.ts";
export type { OverlayKind } from "./overlay/format.ts";
export type { OverlayOptions, OverlayResult } from "./overlay-options.ts";
export { type Image, type ImageLayer, resolve } from "./resolve.ts";
export { type DockerCredentialsOptions, dockerCredentials } from "./source/configuration/credentials.ts";
export { engineSocketFromEnvironment } from "./source/configuration/engine-socket.ts";
export { type EnvironmentOptions, registryFromEnvironment } from "./source/configuration/environment.ts";
export { type LoginOptions, login, logout } from "./source/configuration/login.ts";
export type { Environment, Machine } from "./source/configuration/machine.ts";
export { sourceFor } from "./source/default-source.ts";
export { engineSource } from "./source/engine.ts";
export { type LocalOptions, localSource } from "./source/local/transport.ts";
export type {
  Credential,
  Credentials,
  Deadlines,
  Endpoint,
  EndpointQuery,
  EndpointsFor,
  NetworkPolicy,
  ProxyFor,
  RegistryOptions,
  TlsFor,
  TlsMaterial,
} from "./source/options.ts";
export { registry } from "./source/registry.ts";
export type { Document, FetchOptions, ImageSource, Source } from "./source/source.ts";
export type { SourceOptions } from "./source/source-options.ts";
export { type VerifyLoginOptions, verifyLogin } from "./source/verify-login.ts";
export type { StoredImageEntry } from "./store/list.ts";
export type { PruneOptions, PruneResult } from "./store/prune.ts";
export { type Store, store } from "./store/store.ts";
export { type StoredSourceOptions, storedSource } from "./store/stored-source.ts";
export type { StoreFindings } from "./store/verify.ts";
export { unpack } from "./unpack.ts";
export { unpackOverlay } from "./unpack-overlay.ts";
export type { Difference, DifferentPart } from "./verify/differences.ts";
export { storedNameFor } from "./verify/stored-name.ts";
export { type VerifyOptions, type VerifyResult, verify } from "./verify/verify.ts";
