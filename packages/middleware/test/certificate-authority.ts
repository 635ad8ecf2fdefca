// Certificates for a test, made by the system's openssl: an authority, and clients that it vouches for.
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { testFolder } from "./folder.ts";

/** A certificate and its key: files and content, PEM. */
export interface MadeCertificate {
  readonly certFile: string;
  readonly keyFile: string;
  readonly pem: string;
  readonly x509: X509Certificate;
}

/** An authority of the test's own. */
export class CertificateAuthority {
  readonly folder: string = testFolder();
  readonly own: MadeCertificate = this.#make("authority", ["-subj", "/CN=authority of the test"]);

  /** A certificate of the authority, with alternative names as openssl writes them. */
  issue(name: string, subject: string, names = ""): MadeCertificate {
    const extra = names === "" ? [] : ["-addext", `subjectAltName=${names}`];
    return this.#make(name, [...this.#by, "-subj", subject, "-addext", "basicConstraints=critical,CA:FALSE", ...extra]);
  }

  /** A certificate whose only alternative name is this URI, whatever is in it. */
  issueForUri(name: string, subject: string, uri: string): MadeCertificate {
    const config = join(this.folder, `${name}.cnf`);
    writeFileSync(
      config,
      `[req]\ndistinguished_name=dn\n[dn]\n[ext]\nsubjectAltName=@names\n[names]\nURI.1="${uri}"\n`,
    );
    return this.#make(name, [...this.#by, "-subj", subject, "-config", config, "-extensions", "ext"]);
  }

  get #by(): string[] {
    return ["-CA", this.own.certFile, "-CAkey", this.own.keyFile];
  }

  #make(name: string, more: readonly string[]): MadeCertificate {
    const [certFile, keyFile] = [join(this.folder, `${name}.pem`), join(this.folder, `${name}.key`)];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", keyFile];
    execFileSync("openssl", ["req", "-x509", ...key, "-out", certFile, "-days", "2", ...more], { stdio: "pipe" });
    const pem = readFileSync(certFile, "utf8");
    return { certFile, keyFile, pem, x509: new X509Certificate(pem) };
  }
}
