import { OciUnpackError } from "../base/errors.ts";
import { check, checkOptions, type Kinds, pathOf, settleLimits, text } from "../base/option-checks.ts";
import { present } from "../base/present.ts";
import { isErrno } from "../base/system-error.ts";
import type { ImagePlace, Source } from "../blob/image-source.ts";
import { Connections, type HttpResponse } from "../http/http.ts";
import { defaultDeadlines } from "../http/options.ts";
import { cannot, RequestFailure } from "../http/request-failure.ts";
import { parseJson } from "../oci/json.ts";
import { ifReference, parseReference } from "../oci/reference.ts";
import { defaultSandbox } from "../system/sandbox.ts";
import { ArchiveFiles } from "./local/archive-files.ts";
import type { ArchiveOptions } from "./local/archive-index.ts";
import { DockerArchiveImage } from "./local/docker-archive.ts";
import { Archives, type ImageFiles } from "./local/image-files.ts";
import { type LocalOptions, readingKinds } from "./local/local-source.ts";

const prefix = "docker-daemon:";

/** The default socket of docker. */
export const defaultEngineSocket = "/var/run/docker.sock";

/** How long an engine may take: it puts the whole archive together before it sends the first byte. */
const patientMilliseconds = 10 * 60_000;
const deadlines = {
  ...defaultDeadlines,
  responseMilliseconds: patientMilliseconds,
  stallMilliseconds: patientMilliseconds,
  progressMilliseconds: 6 * patientMilliseconds,
};

/** The options of a local source, except for standard input. */
export type EngineOptions = Omit<LocalOptions, "standardInput">;

const engineKinds: Kinds<EngineOptions> = readingKinds;

const errorBytes = 64 * 1024;

/** Whether a name is that of an image in an engine. */
export function isEngineName(name: string): boolean {
  return name.startsWith(prefix);
}

/**
 * Images in a running engine, docker or podman: `docker-daemon:REFERENCE` or `docker-daemon:ID`.
 *
 * The engine exports the image as `docker save` does. The archive is written to an unnamed temporary file, because the
 * list of its contents comes last.
 */
export function engineSource(socket: string | URL = defaultEngineSocket, options: EngineOptions = {}): Source {
  const socketPath = pathOf("socket", socket);
  checkOptions(options, engineKinds);
  const { sandbox = defaultSandbox } = options;
  const limits = settleLimits(options.limits);
  const connections = new Connections({ deadlines, connectionsPerHost: 1, proxy: undefined, socketPath });
  const archives = new Archives();
  return {
    image(name) {
      check("name", name, text);
      const reference = referenceIn(name);
      const files = archives.openedOnce((signal) =>
        exported(connections, reference, socketPath, { limits, sandbox, signal }),
      );
      return new DockerArchiveImage({ name, location: locationOf(reference) }, files, limits);
    },
    async [Symbol.asyncDispose]() {
      connections[Symbol.dispose]();
      await archives[Symbol.asyncDispose]();
    },
  };
}

/** The reference or ID in a name. It has only characters without a special meaning in a URL's path. */
function referenceIn(name: string): string {
  const reference = name.slice(prefix.length);
  if (isEngineName(name) && /^\w[\w./:@-]*$/.test(reference) && !/(^|\/)\.\.?(\/|$)/.test(reference)) return reference;
  throw new OciUnpackError("INVALID_REFERENCE", `cannot open "${name}": "${reference}" is not the name of an image`, {
    hint: "write it as docker-daemon:NAME[:TAG], or docker-daemon:ID",
  });
}

/** What an engine may take for an ID, also for the beginning of one, is no name for a policy. */
function locationOf(text: string): ImagePlace {
  const mayBeID = /^(?:sha256:)?[a-f0-9]+$/.test(text);
  const reference = mayBeID ? undefined : ifReference(() => parseReference(text));
  return { transport: "docker-daemon", ...present({ reference }) };
}

async function exported(
  connections: Connections,
  reference: string,
  socketPath: string,
  options: ArchiveOptions,
): Promise<ImageFiles> {
  const url = new URL(`http://localhost/images/${reference}/get`);
  const reach = { key: "engine", admit: () => {} };
  try {
    const response = await connections.send({ method: "GET", url, headers: {}, reach }, options.signal);
    if (response.status !== 200) throw await refusal(response);
    return await ArchiveFiles.from(response.body, `image ${reference} of the engine`, options);
  } catch (problem) {
    throw cannot(`fetch "${reference}" from the engine at "${socketPath}"`, withHint(problem));
  }
}

async function refusal({ status, body }: HttpResponse): Promise<RequestFailure> {
  const said = messageIn(await body.beginning(errorBytes));
  const found = said === undefined ? `it answers ${status}` : said;
  if (status !== 404) return new RequestFailure("REGISTRY_ERROR", found);
  return new RequestFailure("NOT_FOUND", found, { hint: "docker images, or podman images, lists what it has" });
}

/** The message of an error response, `{"message": …}`. */
function messageIn(bytes: Uint8Array): string | undefined {
  try {
    const json = parseJson(bytes);
    const hasMessage = typeof json === "object" && json !== null && "message" in json;
    return hasMessage && typeof json.message === "string" ? json.message : undefined;
  } catch {
    return undefined;
  }
}

/** Adds a hint to the errors of the socket: that no engine listens, or that this user may not use it. */
function withHint(problem: unknown): unknown {
  const cause = problem instanceof RequestFailure ? problem.cause : problem;
  if (isErrno(cause, "EACCES")) {
    return new RequestFailure("UNREACHABLE", "this user may not use it", {
      cause,
      hint: "run as a user who may use the engine",
    });
  }
  if (!isErrno(cause, "ENOENT", "ECONNREFUSED")) return problem;
  return new RequestFailure("UNREACHABLE", "no engine listens there", {
    cause,
    hint: "start docker, or podman system service, and name its socket with DOCKER_HOST=unix:///PATH",
  });
}
