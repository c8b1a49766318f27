import type { OutgoingHttpHeaders } from "node:http";
import type { CallContext } from "../base/call-context.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Client, RegistryResponse } from "./client.ts";
import { type Repository, repositoryUrl } from "./repository.ts";

/** A URL from which a blob can be fetched. */
export interface BlobLocation {
  readonly url: URL;
  open(headers: OutgoingHttpHeaders, context: CallContext): Promise<RegistryResponse>;
}

/** The location of a blob in the repository of a registry or a mirror. */
export function locationAt(repository: Repository, blob: Descriptor, client: Client): BlobLocation {
  const url = repositoryUrl(repository, "blobs", blob.digest);
  return { url, open: (headers, context) => client.get(repository, url, headers, context) };
}

/**
 * The other locations of a foreign layer, from its descriptor. Only https is used, and nothing that is for the registry
 * is sent.
 */
export function foreignLocations(blob: Descriptor, client: Client): BlobLocation[] {
  return (blob.urls ?? []).flatMap((text) => {
    if (!URL.canParse(text)) return [];
    const url = new URL(text);
    const open = (headers: OutgoingHttpHeaders, context: CallContext) => {
      if (url.protocol === "https:") return client.getAsStranger(url, headers, context);
      throw new RequestFailure(
        "POLICY_DENIED",
        `the layer's url begins with "${url.protocol.slice(0, 40)}" and not with https`,
      );
    };
    return [{ url, open: async (headers, context) => open(headers, context) }];
  });
}
