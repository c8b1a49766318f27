import type {
  ArtifactFile,
  ArtifactInspection,
  ArtifactResult,
  CopyResult,
  Descriptor,
  DiffResult,
  ErrorCode,
  ErrorDetails,
  ExportResult,
  HistoryResult,
  ImageDifference,
  ImageInspection,
  ImageLayer,
  ListResult,
  Manifest,
  OciUnpackEvent,
  OverlayResult,
  PruneResult,
  SignaturesResult,
  StoredSignature,
  StoreEntry,
  StoreFindings,
  SyncResult,
  UnpackResult,
  VerifyResult,
} from "../index.ts";

/**
 * What the commands print with `--json`, what they print if they fail, and each line of `--json-events`: by the names of
 * the schemas in docs/schema, which are made of these types.
 */
export interface JsonOutputs {
  /** What `oci-unpack IMAGE DIRECTORY --json` prints. */
  readonly unpack: UnpackResult & Explained;
  /** What `--output overlay --json` prints. */
  readonly overlay: OverlayResult & Explained;
  /** What `--output files --json` prints. */
  readonly files: ArtifactData & Explained;
  /** What `--output tar|erofs|squashfs|ext4 --json` prints. */
  readonly export: ExportResult & Explained;
  /** What `--output layout|oci-archive|docker-archive --json` prints. */
  readonly copy: CopyResult & Explained;
  /** What `oci-unpack inspect --json` prints. */
  readonly inspect: InspectionData & Explained;
  /** What `oci-unpack ls --json` prints. */
  readonly ls: ListResult & Explained;
  /** What `oci-unpack history --json` prints. */
  readonly history: HistoryResult & Explained;
  /** What `oci-unpack verify --json` prints. */
  readonly verify: VerifyResult & Explained;
  /** What `oci-unpack diff --json` prints. */
  readonly diff: ComparisonData & Explained;
  /** What `oci-unpack sync --json` prints. */
  readonly sync: SyncResult & Explained;
  /** What `oci-unpack signatures --json` prints. */
  readonly signatures: SignaturesData & Explained;
  /** What `oci-unpack store list --json` prints. */
  readonly "store-list": StoreListData;
  /** What `oci-unpack store verify --json` prints. */
  readonly "store-verify": StoreFindings;
  /** What `oci-unpack store prune --json` prints. */
  readonly "store-prune": PruneResult;
  /** What every command prints with `--json` instead of its result if it fails. */
  readonly error: FailureData & Explained;
  /** A line that `--json-events` writes to standard error. */
  readonly event: CommandEvent;
}

/** A result that decisions are added to. */
export type ResultData = Exclude<
  JsonOutputs[Exclude<keyof JsonOutputs, `store-${string}` | "error" | "event">],
  ComparisonData
>;

/** With `--explain`. */
export interface Explained {
  /** What was decided and why, in order. */
  readonly decisions?: readonly Decision[];
}

/** A decision and its reason. */
export interface Decision {
  /** The topic of its event. */
  readonly topic: string;
  readonly message: string;
}

/** What went wrong. */
export interface FailureData {
  readonly error: {
    readonly code: ErrorCode | "INTERRUPTED";
    /** For people. It may change at any time. */
    readonly message: string;
    /** The next step, for people. */
    readonly hint?: string;
    /** The facts of the message. */
    readonly details?: ErrorDetails;
  };
}

/** What the command tells a program that drives it: the events of the library, and two of its own. */
export type CommandEvent =
  | OciUnpackEvent
  /** What people are told besides: that a signal has come, and what was begun is cleaned up. */
  | { readonly type: "note"; readonly message: string }
  /** The last line of a command that fails. */
  | ({ readonly type: "failed" } & FailureData);

/** A descriptor as JSON. */
export interface DescriptorData extends Omit<Descriptor, "data"> {
  /** The content itself, in base64, where the document has it. It is not verified. */
  readonly data?: string;
}

/** A layer of an artifact, as JSON. */
interface ArtifactFileData extends Omit<ArtifactFile, "descriptor"> {
  readonly descriptor: DescriptorData;
}

/** The result of `--output files`. */
export interface ArtifactData extends Omit<ArtifactResult, "files"> {
  /** What was made of the layers. */
  readonly files: readonly ArtifactFileData[];
}

/** What `inspect` tells, of an image or of an artifact. */
export type InspectionData = ImageData | ArtifactInspectionData;

/** Of a manifest's members those that `inspect` tells. */
interface ManifestData extends Pick<Manifest, "mediaType" | "annotations"> {
  /** The size of all layers; a blob that several layers are counts once. */
  readonly totalBytes: number;
  /** The entries of the index. Empty if there is no index. */
  readonly manifests: readonly DescriptorData[];
  /** What refers to it, as the source lists it, not verified. Absent if the source cannot tell. */
  readonly referrers?: readonly DescriptorData[];
}

export interface ImageData
  extends ManifestData,
    Pick<
      ImageInspection,
      | "kind"
      | "reference"
      | "digest"
      | "indexDigest"
      | "platform"
      | "platforms"
      | "verified"
      | "fetchedBytes"
      | "milliseconds"
    > {
  readonly artifactType?: string;
  /** Bottom layer first. */
  readonly layers: readonly (DescriptorData & Pick<ImageLayer, "diffID">)[];
  /** The image's configuration as it is: any JSON object (image-spec, config.md). */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface ArtifactInspectionData
  extends ManifestData,
    Pick<
      ArtifactInspection,
      | "kind"
      | "reference"
      | "digest"
      | "indexDigest"
      | "platform"
      | "artifactType"
      | "verified"
      | "fetchedBytes"
      | "milliseconds"
    > {
  /** The manifest that it refers to, as a signature does. */
  readonly subject?: DescriptorData;
  /** The descriptor of the config. */
  readonly config: DescriptorData;
  /** What its layers are, each with its descriptor. */
  readonly files: readonly (DescriptorData & Pick<ArtifactFile, "name" | "form">)[];
}

/** The result of `diff`, and all differences. */
export interface ComparisonData extends DiffResult {
  readonly differences: readonly ImageDifference[];
}

/** What is stored as signatures. */
export interface SignaturesData extends Pick<SignaturesResult, "reference" | "digest"> {
  readonly signatures: readonly Omit<StoredSignature, "predicate">[];
}

/** What is in a store, what was used last first. */
export interface StoreListData {
  readonly entries: readonly StoreEntryData[];
}

export interface StoreEntryData extends Omit<StoreEntry, "lastUsed"> {
  /** When it was used last: whole seconds since 1970. */
  readonly lastUsedSeconds: number;
}
