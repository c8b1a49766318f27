import { blobsOf, type Image } from "./image.ts";

/** Pushes an image to an open registry, as distribution-spec, "Push", says. */
export async function push(host: string, repository: string, tag: string, image: Image): Promise<void> {
  const base = `http://${host}/v2/${repository}`;
  for (const { descriptor, bytes } of blobsOf(image)) {
    if (descriptor.digest === image.manifest.descriptor.digest) continue;
    const started = await expected(202, `${base}/blobs/uploads/`, { method: "POST" });
    const url = new URL(started.headers.get("location") ?? "", base);
    url.searchParams.set("digest", descriptor.digest);
    await expected(201, url, { method: "PUT", body: bytes, headers: { "content-type": "application/octet-stream" } });
  }
  const { descriptor, bytes } = image.manifest;
  const headers = { "content-type": descriptor.mediaType };
  await expected(201, `${base}/manifests/${tag}`, { method: "PUT", body: bytes, headers });
}

async function expected(status: number, url: string | URL, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init);
  await response.arrayBuffer();
  if (response.status === status) return response;
  throw new Error(`cannot push: ${init.method} ${url} answers ${response.status}`);
}
