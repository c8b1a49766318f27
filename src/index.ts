export { type ArtifactOptions, type ArtifactResult, unpackArtifact } from "./artifact/unpack-artifact.ts";
export {
  type ErrorCode,
  type ErrorDetails,
  type FailedSignature,
  isOciUnpackError,
  OciUnpackError,
  type OciUnpackErrorOptions,
} from "./base/errors.ts";
export type {
  DecisionTopic,
  EventListener,
  FetchOptions,
  LayerProgress,
  OciUnpackEvent,
  SandboxStatus,
  SkipReason,
  VerifiedBy,
  WarningCode,
} from "./base/events.ts";
export { defaultLimits, type Limits } from "./base/limits.ts";
export type {
  CopyForm,
  DevicePolicy,
  DifferentPart,
  ExportForm,
  OverlayKind,
  OwnerChoice,
  SandboxPolicy,
  ShortNamePolicy,
} from "./base/option-words.ts";
export type {
  BlobOptions,
  Document,
  ImageAttachments,
  ImagePlace,
  ImageSource,
  SignatureFile,
  Source,
} from "./blob/image-source.ts";
export type { Rootless } from "./bundle/user.ts";
export { type DockerCredentialsOptions, dockerCredentials } from "./configuration/credentials.ts";
export { type EnvironmentOptions, registryFromEnvironment } from "./configuration/environment.ts";
export { type LoginOptions, login, logout } from "./configuration/login.ts";
export type { Environment, Machine } from "./configuration/machine.ts";
export { machinePolicy } from "./configuration/machine-policy.ts";
export {
  type EngineMachine,
  type EnvironmentSourceOptions,
  engineSocketFromEnvironment,
  sourceFromEnvironment,
} from "./configuration/source-from-environment.ts";
export { type CopyOptions, type CopyResult, copy } from "./copy/copy.ts";
export type { ConfigDifference } from "./diff/config-differences.ts";
export { diff } from "./diff/diff.ts";
export type { ComparedEntry, ImageDifference } from "./diff/difference.ts";
export type { ComparedImages, DiffOptions, DiffResult, ImageComparison } from "./diff/options.ts";
export { exportRootfs } from "./export/export.ts";
export type { ExportOptions, ExportResult } from "./export/options.ts";
export type { Verity } from "./export/verity.ts";
export {
  type HistoryOptions,
  type HistoryResult,
  history,
  type LayerHistory,
  type PathHistoryEvent,
} from "./history/history.ts";
export type { Deadlines, NetworkPolicy, ProxyFor, TlsFor, TlsMaterial } from "./http/options.ts";
export type { Artifact } from "./image/artifact.ts";
export type { ArtifactFile } from "./image/artifact-files.ts";
export type { ResolvedImage, ResolveOptions } from "./image/options.ts";
export type { Image, ImageLayer } from "./image/resolve.ts";
export type { ApplyOptions, IdMapping } from "./layer/settings.ts";
export type { LookResult } from "./look/image-reader.ts";
export { type ListOptions, type ListResult, list } from "./look/list.ts";
export { type FileReading, type ReadResult, read } from "./look/read.ts";
export {
  type ArtifactInspection,
  type ImageInspection,
  type InspectResult,
  inspect,
  resolve,
} from "./look/resolve.ts";
export type { LookOptions } from "./look/with-image-reader.ts";
export type { ExecutionParameters, HistoryEntry, ImageConfig } from "./oci/config.ts";
export type { Descriptor } from "./oci/descriptor.ts";
export type { Digest } from "./oci/digest.ts";
export type { Manifest } from "./oci/document.ts";
export type { LayerCompression } from "./oci/media-type.ts";
export { formatPlatform, type Platform, parsePlatform } from "./oci/platform.ts";
export { formatReference, parseReference, type Reference } from "./oci/reference.ts";
export type { AddedFile } from "./operation/added-files.ts";
export type {
  ClonedAs,
  OperationResult,
  PartialOptions,
  SkippedEntry,
  UnpackOptions,
  UnpackResult,
  VerifiedLayer,
} from "./operation/options.ts";
export type { OverlayOptions, OverlayResult } from "./overlay/unpack-overlay.ts";
export { unpackOverlay } from "./overlay/unpack-overlay.ts";
export type {
  Credential,
  Credentials,
  Endpoint,
  EndpointQuery,
  EndpointsFor,
  RegistryOptions,
} from "./registry/options.ts";
export { registrySource } from "./registry/registry.ts";
export type { PlainHttp } from "./registry/registry-name.ts";
export { type User as LoginUser, type VerifyLoginOptions, verifyLogin } from "./registry/verify-login.ts";
export { type SignaturesOptions, type SignaturesResult, signatures } from "./signatures/signatures.ts";
export type { SourceOptions } from "./source/default-source.ts";
export { sourceFor } from "./source/default-source.ts";
export { type EngineOptions, engineSource } from "./source/engine.ts";
export { type LocalOptions, localSource } from "./source/local/local-source.ts";
export type { GivenOut } from "./store/kept-files.ts";
export type { PruneResult } from "./store/prune.ts";
export type { PruneOptions } from "./store/prune-plan.ts";
export { type Store, type StoreOptions, store } from "./store/store.ts";
export type { DamagedProduct, StoreFindings } from "./store/store-findings.ts";
export type { StoreEntry } from "./store/store-list.ts";
export { type StoredSourceOptions, storedSource } from "./store/stored-source.ts";
export type { DiskSide, SyncDifference } from "./sync/differences.ts";
export type { SyncOptions, SyncResult } from "./sync/options.ts";
export { sync } from "./sync/sync.ts";
export type { Timestamp } from "./tar/entry.ts";
export type { ListedEntry } from "./tree/listed-entry.ts";
export type { NamedPath } from "./tree/named-path.ts";
export type { SignerIdentity, StoredSignature, TrustOptions, VerifiedSignature } from "./trust/options.ts";
export { unpack } from "./unpack/unpack.ts";
export type { Difference } from "./verify/difference.ts";
export { storedNameFor } from "./verify/recorded-config.ts";
export { type VerifyOptions, type VerifyResult, verify } from "./verify/verify.ts";
