import type { OutgoingHttpHeaders } from "node:http";
import type { CallContext } from "../base/call-context.ts";
import { RequestFailure } from "../http/request-failure.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Answer, Client } from "./client.ts";
import { type Site, siteUrl } from "./repository.ts";

/** Where a blob may be had. */
export interface BlobPlace {
  readonly url: URL;
  open(headers: OutgoingHttpHeaders, context: CallContext): Promise<Answer>;
}

/** A blob in the repository of a registry or a mirror. */
export function placeAt(site: Site, blob: Descriptor, client: Client): BlobPlace {
  const url = siteUrl(site, "blobs", blob.digest);
  return { url, open: (headers, context) => client.get(site, url, headers, context) };
}

/** Where else a foreign layer is, by its descriptor's own word: https only, and told nothing of the registry's. */
export function foreignPlaces(blob: Descriptor, client: Client): BlobPlace[] {
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
