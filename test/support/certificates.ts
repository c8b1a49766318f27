import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { output } from "./command.ts";

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Default: 127.0.0.1 and localhost. */
  readonly names?: string;
  /** Makes it valid for one day, long ago. */
  readonly expired?: boolean;
}

/** An authority of one's own, whose certificates nobody else trusts. */
export interface Authority extends KeyPair {
  issue(options?: CertificateOptions): Promise<KeyPair>;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
const thisMachine = "IP:127.0.0.1,DNS:localhost";

/** Makes an authority with openssl. */
export async function authority(): Promise<Authority> {
  const own = await selfSigned({ names: "DNS:authority.test" });
  return { ...own, issue: (options) => issued(own, options) };
}

/** A certificate that vouches for itself. */
export function selfSigned({ names = thisMachine }: CertificateOptions = {}): Promise<KeyPair> {
  return inDirectory((path) =>
    openssl("req", "-x509", ...newKey, "-subj", `/CN=${names}`, "-days", "1", ...subject(names), ...outputs(path)),
  );
}

/** `openssl ca` is the one command of all versions that can date a certificate back. */
const configuration = `
[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
`;

function issued(issuer: KeyPair, { names = thisMachine, expired = false }: CertificateOptions = {}): Promise<KeyPair> {
  const dates = expired ? ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"] : ["-days", "1"];
  return inDirectory(async (path) => {
    await writeFile(path("ca.pem"), issuer.cert);
    await writeFile(path("ca.key"), issuer.key);
    await writeFile(path("index"), "");
    await writeFile(
      path("config"),
      configuration.replace("= index", `= ${path("index")}`).replace("= .", `= ${path(".")}`),
    );
    await openssl(
      "req",
      "-new",
      ...newKey,
      "-subj",
      "/CN=test",
      ...subject(names),
      "-keyout",
      path("key"),
      "-out",
      path("csr"),
    );
    await openssl(
      ...["ca", "-batch", "-notext", "-config", path("config"), "-cert", path("ca.pem"), "-keyfile", path("ca.key")],
      ...["-in", path("csr"), "-out", path("cert"), ...dates],
    );
  });
}

function openssl(...args: readonly string[]): Promise<string> {
  return output("openssl", args);
}

function subject(names: string): string[] {
  return ["-addext", `subjectAltName=${names}`];
}

function outputs(path: (name: string) => string): string[] {
  return ["-keyout", path("key"), "-out", path("cert")];
}

/** Runs something that leaves `cert` and `key` in a directory. */
async function inDirectory(make: (path: (name: string) => string) => Promise<unknown>): Promise<KeyPair> {
  const directory = await mkdtemp(join(tmpdir(), "certificate-"));
  const path = (name: string) => join(directory, name);
  try {
    await make(path);
    return { cert: await readFile(path("cert"), "utf8"), key: await readFile(path("key"), "utf8") };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
