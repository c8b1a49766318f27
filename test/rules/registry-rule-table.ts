/** What a client of registries has to do, in this project's words. */
export interface RegistryRule {
  /** `R-1` to `R-75`, as comments and titles of tests name it; `security 1` … for what attackers have done to clients. */
  readonly rule: string;
  readonly says: string;
  /** Where that stands, or who does it, or who was caught out without it. */
  readonly sources: string;
  /** What of it is not done, and why. */
  readonly departure?: string;
}

export interface RegistryRuleSection {
  readonly heading: string;
  readonly rules: readonly RegistryRule[];
}

/** All rules. Numbers between the sections are free. */
export const registryRuleSections: readonly RegistryRuleSection[] = [
  {
    heading: "References",
    rules: [
      {
        rule: "R-1",
        says: "A name means what it means to docker, and what docker does not read as a reference is an error of the command line.",
        sources: "distribution/reference: grammar, and the examples of its tests",
      },
      {
        rule: "R-2",
        says: "What stands before the first slash is a registry only if it has a dot, a colon or an upper-case letter, or is `localhost`; else the image is Docker Hub's.",
        sources: "distribution/reference, `splitDockerDomain`",
      },
      {
        rule: "R-3",
        says: "Docker Hub is one registry under all of its names: `docker.io` for people, `registry-1.docker.io` to connect to, and credentials are looked for under each.",
        sources: "go-containerregistry `keychain.go`; regclient `config/host.go`; sigstore-js",
      },
      {
        rule: "R-4",
        says: "In `repo:tag@digest` the digest says what is pulled; the tag is kept for people to read.",
        sources: "distribution/reference; asked for by users of containers/image, which refuses it",
        departure:
          "that a tag still means the digest beside it is not verified: it may, and nobody who names a digest asked",
      },
      {
        rule: "R-5",
        says: "A digest is checked before it gets into a URL or a path: sha256 and sha512, lower-case, of exact length. One of another algorithm parses, and is refused where it would have to be verified.",
        sources: 'image-spec, descriptor.md, "Digests"; CVE-2024-3727; osv-scalibr #2408',
        departure: "blake3 is refused like any algorithm that node:crypto lacks",
      },
      {
        rule: "R-6",
        says: "A tag has 128 characters at most, a repository's path 255.",
        sources: 'distribution-spec, spec.md, "Pulling manifests"',
      },
      {
        rule: "R-7",
        says: "http is spoken to loopback addresses, and where the user or a file of the machine allows it; elsewhere never, whatever is wrong with TLS.",
        sources: "containerd, `NewHTTPFallback`, which falls back for configured hosts alone",
      },
    ],
  },
  {
    heading: "Challenges and tokens",
    rules: [
      {
        rule: "R-10",
        says: "The first request is the real one; `/v2/` is asked only when a 401 comes without a challenge.",
        sources: "containers/image `docker_client.go`, for gcr.io; renovate #11446, for ghcr.io",
      },
      {
        rule: "R-11",
        says: "`WWW-Authenticate` is read as RFC 9110 has it: several headers, several challenges in one, quoted values with commas and escapes, names in any case.",
        sources: "RFC 9110, 11.6.1; go-containerregistry `pickFromMultipleChallenges`",
      },
      {
        rule: "R-12",
        says: "A token is preferred to a password, schemes that nobody knows are passed over, and where none is left the error names those that were offered.",
        sources: "RFC 9110, 11.6.1",
      },
      {
        rule: "R-13",
        says: "The right to pull is asked for even if the challenge has no scope, and first of all; a scope of the registry's own kind is passed on as it is.",
        sources: "go-containerregistry `bearer.go`; Amazon's public registry, aws/containers-roadmap #2671",
      },
      {
        rule: "R-14",
        says: "A token is asked for with each scope by itself, the service, a client's name and the account, never for offline use; what the realm's own query says is kept.",
        sources: "distribution, token.md; regclient `auth.go`",
      },
      {
        rule: "R-15",
        says: "An identity token is exchanged by POST; where that is not understood, GET is tried, and the first error is the one told.",
        sources: "distribution, oauth.md; containerd `authorizer.go`, for what ACR, Artifactory and GCR answer",
      },
      {
        rule: "R-16",
        says: "`token` and `access_token` are both understood, and the second counts; an answer without either is quoted nowhere.",
        sources: "distribution, token.md; containers/image",
      },
      {
        rule: "R-17",
        says: "A token is good for as long as is said, for 60 s where nothing useful is, from now on where `issued_at` makes no sense; it is renewed 5 s early.",
        sources: "distribution, token.md; regclient `auth.go`",
      },
      {
        rule: "R-18",
        says: "A relative realm is relative to the registry.",
        sources: "regclient `auth.go`",
      },
      {
        rule: "R-19",
        says: "However many requests wait for one token, it is asked for once; that it failed is not remembered.",
        sources: "this project's own",
      },
      {
        rule: "R-20",
        says: "A token that ends in the middle of a blob is renewed once, and the blob goes on.",
        sources: "jib #691; tokens of docker and GitLab last for 5 minutes",
      },
      {
        rule: "R-21",
        says: "Where a fresh token is refused, the scope of the new challenge is asked for once; stored credentials that are refused are left out once, with a warning.",
        sources:
          "containers/image, `insufficient_scope`; devcontainers; riverui #182, for public images behind expired logins",
      },
      {
        rule: "R-22",
        says: "A 403 is final, but from a token server to the anonymous it means that a login is wanted; a missing repository, a missing manifest and a forbidden one are told apart.",
        sources: 'distribution-spec, "Error Codes"; ghcr.io and Docker Hub as they answer; quay #4235',
      },
      {
        rule: "R-23",
        says: "A token's answer has a limit of 1 MiB, a busy token server is asked again, its redirects are not followed, and it never sees what the registry accepts.",
        sources: "go-containerregistry #2291",
      },
      {
        rule: "R-24",
        says: "Logins are looked for in a documented order, which `--explain` tells; keys with a path count for that part of a registry, the longest first.",
        sources: "containers/image `authKeyLookupOrder`, containers-auth.json(5); docker's config.json",
        departure: "no variable of its own holds a login: -u and --password-stdin do, and $REGISTRY_AUTH_FILE",
      },
      {
        rule: "R-25",
        says: "`credHelpers` go before `credsStore`, both before `auths`; an empty entry means that a helper has the secret; base64 may lack its padding.",
        sources: "oras-go `store.go`; go-containerregistry `decodeDockerConfigFieldAuth`",
      },
      {
        rule: "R-26",
        says: "A credential helper is started by its plain name from PATH, without a shell, gets the server on standard input, has 10 s, and what it prints is never shown.",
        sources: "docker-credential-helpers, `client.go` and `error.go`",
      },
    ],
  },
  {
    heading: "Manifests",
    rules: [
      {
        rule: "R-30",
        says: "All types are accepted in one list, indexes first, without wildcards and without schema 1; hosts that need it get a header for each.",
        sources:
          "distribution-spec, content negotiation; containerd #5632, for an old Harbor; eclipse-che #2082, for Quay",
      },
      {
        rule: "R-31",
        says: "Parameters of a `Content-Type` mean nothing; where it says nothing useful the document's own type counts, then its members; a 406 is answered once by accepting anything.",
        sources:
          "distribution-spec, spec.md; moby `detectManifestBlobMediaType`; concourse/docker-image-resource #40, for an old Artifactory",
      },
      {
        rule: "R-32",
        says: "Every place that states a document's type states the same, a document that is an index and a manifest at once is refused, and so is one with a key twice.",
        sources: "CVE-2021-41190; distribution-spec, spec.md; encoding/json of Go, for upper and lower case",
      },
      {
        rule: "R-33",
        says: "Documents have limits: 4 MiB each, on the wire and decompressed, 10,000 descriptors, indexes 4 deep, 64 for one name.",
        sources: "CVE-2020-1702; containers/image `iolimits.go`; go-containerregistry",
      },
      {
        rule: "R-34",
        says: "By digest, bytes must have it, and the size that led to them; by tag the digest is computed, and a header that says otherwise is a warning, with `strict` an error.",
        sources: "distribution-spec, spec.md; distribution #2395 and #3792; aws/containers-roadmap #1931",
      },
      {
        rule: "R-35",
        says: "A pull needs no HEAD.",
        sources: "aws/containers-roadmap #2671, for registries that answer HEAD and GET differently; Harbor",
      },
      {
        rule: "R-36",
        says: "Of an index the entry is taken that comes nearest to the platform, the first among equals: never an attestation, and one without a platform only where no other matches.",
        sources: "image-spec, image-index.md; containerd `platforms`; moby",
      },
      {
        rule: "R-37",
        says: "A variant that was asked for has no substitute; an entry without one is arm64/v8 and arm/v7.",
        sources: "moby #44414; containers/image #898",
      },
      {
        rule: "R-38",
        says: "Docker's schema 1 is refused by its name.",
        sources: "docker, which has removed it",
      },
      {
        rule: "R-39",
        says: "Entries and layers of unknown type are no error to those who only look at an image.",
        sources: "image-spec, image-index.md and manifest.md",
      },
      {
        rule: "R-40",
        says: "An artifact's config is never fetched, and the error says that it is an artifact, and of which type.",
        sources: 'image-spec, manifest.md, "Guidelines for Artifact Usage"',
      },
      {
        rule: "R-41",
        says: "Content that stands in a descriptor is used where it has the digest and the size, and else an error; it has 1 MiB at most.",
        sources: 'image-spec, descriptor.md, "Embedded Content"',
      },
      {
        rule: "R-42",
        says: "Where a foreign layer says that it lies is asked only with the user's leave, after the registry, by https and without credentials.",
        sources: "CVE-2020-15157; image-spec, descriptor.md, `urls`",
      },
    ],
  },
  {
    heading: "Blobs",
    rules: [
      {
        rule: "R-50",
        says: "Blobs are asked for without encoding; what a server calls gzip-encoded is decompressed only if the bytes as they came are not the blob.",
        sources: "moby #17595, for Apache",
      },
      {
        rule: "R-51",
        says: "A blob has the size that its descriptor states: another `Content-Length` ends it before it is read, more bytes end it, an early end is a reason to go on.",
        sources: "go-containerregistry #1500; containerd #3974; containers/image #1145",
      },
      {
        rule: "R-52",
        says: "A download goes on where it stopped, if a strong ETag says that it is the same blob; a partial answer counts only if it is the part asked for.",
        sources: "RFC 9110, 14; containers/image `parseContentRange`; containerd",
      },
      {
        rule: "R-53",
        says: "It goes on by way of the registry, not of the link that it led to, which may have expired.",
        sources: "signed links of S3 and of CDNs; stereoscope #695",
      },
      {
        rule: "R-54",
        says: "A connection may break any number of times while bytes come; without progress it is tried five times more.",
        sources: "containers/image, which counts progress, not attempts",
        departure: "HTTP/2 is not spoken, so nothing of it can break",
      },
      {
        rule: "R-55",
        says: "A body that is silent for 30 s, or brings next to nothing for minutes, is given up and goes on with another connection; a reader who takes his time is no silence.",
        sources: "undici, whose default is 300 s; Nexus, which cuts after 30 s",
      },
      {
        rule: "R-56",
        says: "Pauses grow and are drawn by lot; `Retry-After` and `RateLimit-Reset` are waited for up to 2 minutes, by all requests to that host.",
        sources: "RFC 9110, 10.2.3; regclient, whose pauses are a host's",
      },
      {
        rule: "R-57",
        says: "What is plainly temporary (408, 425, 429, 499, 500, 502 to 504, 520 to 524, 529) is tried again, what is final is not.",
        sources: "RFC 9110, 15; the statuses of Cloudflare and nginx",
      },
      {
        rule: "R-58",
        says: "Five redirects are followed, with `Range` and `Accept`; another origin gets no authorization, nor does any after it, and a challenge of its own is met anonymously.",
        sources: "go-containerregistry #2349 and #2360; moby `checkHTTPRedirect`; renovate #3877, for S3",
      },
      {
        rule: "R-59",
        says: "From 64 MiB on several connections may bring a blob's parts, where the user wants it, each judged by its own `Content-Range`; at the first lie one connection does the rest.",
        sources: "containerd #12291; bottlerocket #4709, for Artifactory",
      },
      {
        rule: "R-60",
        says: "An empty blob and the empty JSON object are known without asking.",
        sources: 'image-spec, manifest.md, "Guidance for an Empty Descriptor"',
      },
      {
        rule: "R-61",
        says: "A blob that is corrupt at a mirror comes from the next host, each asked once; a store keeps what is verified alone.",
        sources: "this project's own",
      },
      {
        rule: "R-62",
        says: "The error for a corrupt blob names both digests, the size, the host, and whether the download was resumed.",
        sources: "this project's own",
      },
      {
        rule: "R-63",
        says: "A layer has, decompressed, the diffID that the configuration states, and there are as many as layers; a history of another number is a warning.",
        sources: "image-spec, config.md",
      },
      {
        rule: "R-64",
        says: "An abort ends waiting of every kind, with its own reason, and leaves no connection, no timer and no helper.",
        sources: "this project's own",
      },
    ],
  },
  {
    heading: "Configuration of the machine",
    rules: [
      {
        rule: "R-70",
        says: "`certs.d` has a directory for each registry, named as in references: `.crt` are authorities, `.cert` and `.key` go together; the first directory that has it counts.",
        sources: "containers-certs.d(5); docker's certs.d",
      },
      {
        rule: "R-71",
        says: "`hosts.toml` is read as containerd does: hosts in the order of the file, capabilities, certificates, headers, `override_path`, and `ns` for whoever stands for another registry.",
        sources: "containerd, docs/hosts.md, and `registry.go`",
      },
      {
        rule: "R-72",
        says: "`registries.conf` is read as podman does: the longest prefix, wildcards, locations, mirrors, blocked and insecure registries, aliases, drop-ins.",
        sources: "containers-registries.conf(5)",
      },
      {
        rule: "R-73",
        says: "A mirror that fails in whatever way is passed over, and the error tells of each; tags are asked for only where they may be resolved, and no mirror sees the registry's credentials.",
        sources: "containerd, docs/hosts.md; containers/image; distribution-spec, spec.md",
      },
      {
        rule: "R-74",
        says: "Proxies are named as Go's programs have it: a variable for each scheme, lower case first, `NO_PROXY` with suffixes, ports, addresses and networks, and never for this machine.",
        sources: "golang.org/x/net/http/httpproxy",
      },
      {
        rule: "R-75",
        says: "The `HttpHeaders` of docker's config.json go to the registry alone.",
        sources: "docker's config.json; regclient; sigstore-js",
      },
    ],
  },
  {
    heading: "What attackers have done to clients",
    rules: [
      {
        rule: "security 1",
        says: "Credentials are not sent to where a foreign layer lies.",
        sources: "CVE-2020-15157",
      },
      {
        rule: "security 2",
        says: "Credentials go to a token server only if it is the registry's own, or the user allows it.",
        sources: "CVE-2026-48978; CVE-2026-33540; CVE-2026-33990; go-containerregistry #2193",
      },
      {
        rule: "security 3",
        says: "The address that is connected to is judged, at every connection, and not the name.",
        sources: "go-containerregistry #2440",
      },
      {
        rule: "security 4",
        says: "A token server's redirect is not followed.",
        sources: "go-containerregistry #2291",
      },
      {
        rule: "security 5",
        says: "An authorization that was dropped on the way is not taken up again.",
        sources: "go-containerregistry #2337, #2349",
      },
      {
        rule: "security 6",
        says: "Nothing leads from https to http.",
        sources: "golang/vulndb #6092",
      },
      {
        rule: "security 7",
        says: "A document that is an index and a manifest at once is refused.",
        sources: "CVE-2021-41190",
      },
      {
        rule: "security 8",
        says: "A digest that could leave its place in a URL or on a disk is refused.",
        sources: "CVE-2024-3727; osv-scalibr #2408",
      },
      {
        rule: "security 9",
        says: "Documents, tokens and errors have limits in length and depth.",
        sources: "CVE-2020-1702",
      },
      {
        rule: "security 10",
        says: "What is decompressed has limits of its own, layers and answers alike.",
        sources: "CWE-409; clients that limit documents and not layers",
      },
      {
        rule: "security 11",
        says: "A `Link` header leads nowhere.",
        sources: "go-containerregistry `validatePaginationURL`",
      },
      {
        rule: "security 12",
        says: "A URL that readers could understand in two ways is not used.",
        sources: "go-containerregistry `checkRegistry`; regclient",
      },
      {
        rule: "security 13",
        says: "What a server says smuggles nothing into a header or a query.",
        sources: "devcontainers #1278",
      },
      {
        rule: "security 14",
        says: "Passwords, tokens and signed links are in no event and no error.",
        sources: "containerd `sanitizedURL`; go-containerregistry `redact`",
      },
      {
        rule: "security 15",
        says: "What others chose reaches no terminal raw.",
        sources: "CWE-150; containers/image, for `Warning` headers",
      },
      {
        rule: "security 16",
        says: "A credential helper's name is no path, and none is taken from the current directory.",
        sources: "docker-credential-helpers, whose protocol has no rule",
      },
      {
        rule: "security 17",
        says: "A mirror that may not resolve is never asked what a tag means.",
        sources: "containerd, docs/hosts.md",
      },
      {
        rule: "security 18",
        says: "No registry is searched for a short name.",
        sources: 'containers-registries.conf(5), "short names"',
      },
      {
        rule: "security 19",
        says: "Dependencies are few, declared, and run no script when they are installed.",
        sources: "attacks on package registries",
      },
      {
        rule: "security 20",
        says: "What an index lists has the digest and the size that the index states.",
        sources: 'image-spec, descriptor.md, "Verification"',
      },
    ],
  },
];
