import { discardStaging } from "../rootfs/discard-job.ts";
import {
  type CompareForSyncJob,
  compareForSync,
  type EndForSyncJob,
  type ExchangeForSyncJob,
  endForSync,
  exchangeForSync,
  type FillForSyncJob,
  type FinishForSyncJob,
  fillForSync,
  finishForSync,
  type LayForSyncJob,
  type ListForSyncJob,
  layForSync,
  listForSync,
  type MergeForSyncJob,
  mergeForSync,
} from "../sync/sync-job.ts";
import type { DiscardJob } from "../worker/messages.ts";
import { serve } from "../worker/serve.ts";

serve<
  | MergeForSyncJob
  | CompareForSyncJob
  | LayForSyncJob
  | FillForSyncJob
  | FinishForSyncJob
  | ListForSyncJob
  | ExchangeForSyncJob
  | EndForSyncJob
  | DiscardJob
>("oci-sync", {
  "merge-for-sync": mergeForSync,
  "compare-for-sync": compareForSync,
  "lay-for-sync": layForSync,
  "fill-for-sync": fillForSync,
  "finish-for-sync": finishForSync,
  "list-for-sync": listForSync,
  "exchange-for-sync": exchangeForSync,
  "end-for-sync": endForSync,
  discard: discardStaging,
});
