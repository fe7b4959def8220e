/**
 * Certificates, keys and limits of one server: read at the start, and again when asked, all of them or none. Mirrors no spec
 * module.
 */
import type { TlsServerMaterial } from '../ports/network.ts';
import { certificateEndMs, secureContextOf } from '../ports/tls.ts';
import { Auth, type AuthConfig } from './auth.ts';
import { Guard, type GuardOptions } from './guard.ts';
import { RateLimit, type RateRules } from './rate-limit.ts';
import type { ServerTls } from './tls-options.ts';

/** The part of a server's configuration that is about who may talk to it. Absent: TLS off, everybody may do everything. */
export interface SecurityConfig {
  readonly tls?: ServerTls | undefined;
  readonly auth?: AuthConfig | undefined;
  readonly rates?: RateRules | undefined;
}

export class Security {
  readonly clientCertificateRequired: boolean;
  readonly #tls: ServerTls | undefined;
  readonly #auth: Auth | undefined;
  readonly #rates: RateLimit;
  #material: TlsServerMaterial | undefined;

  private constructor(config: SecurityConfig, material: TlsServerMaterial | undefined, auth: Auth | undefined) {
    this.#tls = config.tls;
    this.clientCertificateRequired = config.tls?.clientCertificateRequired ?? false;
    this.#material = material;
    this.#auth = auth;
    this.#rates = new RateLimit(config.rates ?? { requestsPerSecond: 0, burst: 0 });
  }

  /** @throws TlsError, AuthError */
  static async load(config: SecurityConfig): Promise<Security> {
    const material = config.tls?.load();
    if (material !== undefined) secureContextOf(material);
    const auth = config.auth === undefined ? undefined : await Auth.load(config.auth);
    return new Security(config, material, auth);
  }

  get material(): TlsServerMaterial | undefined {
    return this.#material;
  }

  /** When the certificate ends, in milliseconds since the epoch; undefined without TLS. */
  get certificateEndMs(): number | undefined {
    return this.#material === undefined ? undefined : certificateEndMs(this.#material.certificate);
  }

  /** For the log: what is on. */
  get summary(): { readonly tls: boolean; readonly auth: boolean } {
    return { tls: this.#material !== undefined, auth: this.#auth !== undefined };
  }

  guard(options: Omit<GuardOptions, 'auth' | 'rates'>): Guard {
    return new Guard({ ...options, auth: this.#auth, rates: this.#rates });
  }

  /** Reads every file again; apply gets the new certificate when all of them are good. @throws TlsError, AuthError */
  async reload(apply: (material: TlsServerMaterial) => void): Promise<void> {
    const material = this.#tls?.load();
    if (material !== undefined) secureContextOf(material);
    await this.#auth?.reload();
    if (material === undefined) return;
    apply(material);
    this.#material = material;
  }
}
