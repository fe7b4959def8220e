/**
 * Certificates, keys, the cluster secret and limits of one server: read at the start, and again when asked, all of them or none. Mirrors no spec
 * module.
 */
import type { TlsServerMaterial } from '../ports/network.ts';
import { PeerSecrets } from '../ports/peer-secrets.ts';
import { certificateEndMs, secureContextOf } from '../ports/tls.ts';
import { Auth, type AuthConfig } from './auth.ts';
import { Guard, type GuardOptions } from './guard.ts';
import { RateLimit, type RateRules } from './rate-limit.ts';
import type { ServerTls } from './tls-options.ts';

/** The part of a server's configuration that is about who may talk to it. Absent: TLS off, everybody may do everything. */
export interface SecurityConfig {
  readonly tls?: ServerTls | undefined;
  readonly auth?: AuthConfig | undefined;
  /** Reads the file of the cluster secret; at the start, and again when asked. Absent: replicas prove nothing to each other. */
  readonly clusterSecret?: (() => { readonly file: string; readonly text: string }) | undefined;
  readonly rates?: RateRules | undefined;
}

/** What the files hold. */
export interface Loaded {
  readonly material: TlsServerMaterial | undefined;
  readonly secrets: PeerSecrets | undefined;
}

export class Security {
  readonly clientCertificateRequired: boolean;
  readonly #tls: ServerTls | undefined;
  readonly #auth: Auth | undefined;
  readonly #rates: RateLimit;
  readonly #clusterSecret: SecurityConfig['clusterSecret'];
  #material: TlsServerMaterial | undefined;
  #secrets: PeerSecrets | undefined;

  private constructor(config: SecurityConfig, { material, secrets }: Loaded, auth: Auth | undefined) {
    this.#tls = config.tls;
    this.#clusterSecret = config.clusterSecret;
    this.clientCertificateRequired = config.tls?.clientCertificateRequired ?? false;
    this.#material = material;
    this.#secrets = secrets;
    this.#auth = auth;
    this.#rates = new RateLimit(config.rates ?? { requestsPerSecond: 0, burst: 0 });
  }

  /** @throws TlsError, AuthError, PeerSecretError */
  static async load(config: SecurityConfig): Promise<Security> {
    const loaded = loadedOf(config);
    const auth = config.auth === undefined ? undefined : await Auth.load(config.auth);
    return new Security(config, loaded, auth);
  }

  get material(): TlsServerMaterial | undefined {
    return this.#material;
  }

  /** What replicas prove to each other. */
  get secrets(): PeerSecrets | undefined {
    return this.#secrets;
  }

  /** When the certificate ends, in milliseconds since the epoch; undefined without TLS. */
  get certificateEndMs(): number | undefined {
    return this.#material === undefined ? undefined : certificateEndMs(this.#material.certificate);
  }

  /** For the log: what is on. */
  get summary(): { readonly tls: boolean; readonly auth: boolean; readonly clusterSecret: boolean } {
    const { material, secrets } = this;
    return { tls: material !== undefined, auth: this.#auth !== undefined, clusterSecret: secrets !== undefined };
  }

  guard(options: Omit<GuardOptions, 'auth' | 'rates'>): Guard {
    return new Guard({ ...options, auth: this.#auth, rates: this.#rates });
  }

  /** Reads every file again; apply gets what is new when all of them are good. @throws TlsError, AuthError, PeerSecretError */
  async reload(apply: (loaded: Loaded) => void): Promise<void> {
    const loaded = loadedOf({ tls: this.#tls, clusterSecret: this.#clusterSecret });
    await this.#auth?.reload();
    apply(loaded);
    this.#material = loaded.material;
    this.#secrets = loaded.secrets;
  }
}

/** @throws TlsError, PeerSecretError */
function loadedOf({ tls, clusterSecret }: SecurityConfig): Loaded {
  const material = tls?.load();
  if (material !== undefined) secureContextOf(material);
  const secret = clusterSecret?.();
  return { material, secrets: secret && PeerSecrets.parse(secret.text, secret.file) };
}
