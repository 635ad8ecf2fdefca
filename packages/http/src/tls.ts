// Certificates: which one for which name, and reading them again without a dropped connection.
import { readFile } from "node:fs/promises";
import {
  createSecureContext,
  type TlsOptions as NodeTlsOptions,
  type SecureContext,
  type SecureContextOptions,
  type Server as TlsServer,
} from "node:tls";
import { GatewayError } from "@gw/core";

/** A certificate and its key: as PEM text, or as files that are read again at `reload`. */
export interface CertificateOptions {
  /** File of the certificate chain, PEM, leaf first. */
  certFile?: string;
  /** File of the private key, PEM. */
  keyFile?: string;
  /** The chain itself, PEM; instead of `certFile`. */
  cert?: string;
  /** The key itself, PEM; instead of `keyFile`. */
  key?: string;
  /** Passphrase of the key. */
  passphrase?: string;
}

/** TLS settings of a server. */
export interface TlsOptions extends CertificateOptions {
  /** Further certificates by server name (SNI): `"www.example.com"`, or `"*.example.com"` for one label below. */
  serverNames?: Readonly<Record<string, CertificateOptions>>;
  /** Oldest version spoken. @default "TLSv1.2" */
  minVersion?: "TLSv1.2" | "TLSv1.3";
  /** Whether clients are asked for a certificate; `"required"` refuses those without a valid one. @default "none" */
  clientCertificates?: "none" | "optional" | "required";
  /** File of the authorities that client certificates must come from, PEM. @default those Node trusts */
  clientCaFile?: string;
}

/** The certificates of a server. */
export interface Certificates {
  /** For `tls.createServer`, with ALPN left to the caller. */
  readonly options: NodeTlsOptions;
  /** Keeps the default certificate of a server up to date. */
  attach(server: TlsServer): void;
  /** Reads the files; the returned function puts them in place. Throws without any effect. */
  prepare(): Promise<() => void>;
}

interface Loaded {
  /** For clients that name no server, and for names that no other is for. */
  readonly settings: SecureContextOptions;
  readonly byDefault: SecureContext;
  readonly byName: ReadonlyMap<string, SecureContext>;
}

/**
 * Reads the certificates of a server.
 *
 * @throws GatewayError `GW_HTTP_CERTIFICATE` naming the file that cannot be read or used.
 */
export async function loadCertificates(options: TlsOptions): Promise<Certificates> {
  let loaded = await load(options);
  const servers: TlsServer[] = [];
  const { clientCertificates = "none" } = options;
  return {
    options: {
      SNICallback: (name, done) => done(null, contextFor(loaded, name)),
      requestCert: clientCertificates !== "none",
      rejectUnauthorized: clientCertificates === "required",
      ...loaded.settings,
    },
    attach: (server) => void servers.push(server),
    async prepare() {
      const next = await load(options);
      return () => {
        loaded = next;
        for (const server of servers) server.setSecureContext(next.settings);
      };
    },
  };
}

async function load(options: TlsOptions): Promise<Loaded> {
  const byName = new Map<string, SecureContext>();
  for (const [name, certificate] of Object.entries(options.serverNames ?? {})) {
    byName.set(name.toLowerCase(), createContext(await contextOptions(certificate, options), certificate));
  }
  const settings = await contextOptions(options, options);
  return { settings, byDefault: createContext(settings, options), byName };
}

function contextFor({ byDefault, byName }: Loaded, serverName: string): SecureContext {
  const name = serverName.toLowerCase();
  return byName.get(name) ?? byName.get(name.replace(/^[^.]+/, "*")) ?? byDefault;
}

function createContext(settings: SecureContextOptions, certificate: CertificateOptions): SecureContext {
  try {
    return createSecureContext(settings);
  } catch (error) {
    throw unusable(
      `the certificate ${certificate.certFile ?? "given"} and its key ${certificate.keyFile ?? "given"}`,
      error,
    );
  }
}

async function contextOptions(certificate: CertificateOptions, options: TlsOptions): Promise<SecureContextOptions> {
  const { passphrase } = certificate;
  return {
    cert: await pem("certificate", certificate.cert, certificate.certFile),
    key: await pem("key", certificate.key, certificate.keyFile),
    minVersion: options.minVersion ?? "TLSv1.2",
    ...(passphrase !== undefined && { passphrase }),
    ...(options.clientCaFile !== undefined && { ca: await pem("authorities", undefined, options.clientCaFile) }),
  };
}

async function pem(what: string, text: string | undefined, file: string | undefined): Promise<string> {
  if (text !== undefined) return text;
  if (file === undefined)
    throw new GatewayError("GW_HTTP_CERTIFICATE", 500, `tls: a ${what} is missing; give its file or its PEM text`);
  try {
    return await readFile(file, "latin1");
  } catch (error) {
    throw unusable(`the ${what} file ${file}`, error);
  }
}

function unusable(what: string, cause: unknown): GatewayError {
  return new GatewayError(
    "GW_HTTP_CERTIFICATE",
    500,
    `tls: cannot use ${what}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );
}
