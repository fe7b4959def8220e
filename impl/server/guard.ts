/**
 * The door of both protocols: who asks is known, may do it, and does not ask too often. One object for HTTP (a hook before
 * each route) and for the binary protocol (at the Hello, and at each request). Mirrors no spec module.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Connection } from '../ports/connection.ts';
import type { Refusal } from '../ports/introduction.ts';
import { provedBy } from '../ports/tls.ts';
import { clientOf } from '../ports/tls-identity.ts';
import type { Failure } from '../wire/answer.ts';
import type { Hello } from '../wire/hello.ts';
import type { Operation } from '../wire/request.ts';
import type { Auth, Credentials, Principal } from './auth.ts';
import { failure } from './failure.ts';
import { HttpInputError } from './http-input.ts';
import type { HttpRole } from './http-role.ts';
import type { RateLimit } from './rate-limit.ts';
import { grants, OPERATION_ROLES } from './roles.ts';

/** Characters of the header Authorization; a token of a large identity provider has some 2,000. */
const AUTHORIZATION_CHARS_MAX = 8_192;

export interface GuardOptions {
  readonly cluster: bigint;
  /** undefined: everybody may do everything. */
  readonly auth: Auth | undefined;
  readonly rates: RateLimit;
  readonly wallMs: () => number;
  readonly nowMs: () => number;
  /** For metrics: what was refused, by code. */
  readonly onRefused: (protocol: 'http' | 'binary', code: string) => void;
}

export class Guard {
  readonly #options: GuardOptions;
  readonly #principals = new WeakMap<Connection, Principal>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Before every route: 401, 403, 429, or on. A route that does not say what it needs is closed. */
  protect(server: FastifyInstance): void {
    server.addHook('onRequest', async (request, reply) => {
      if (request.is404) return;
      const role = request.routeOptions.config.role;
      if (role === 'open') return;
      const refusal = await this.#httpRefusal(request, role);
      if (refusal === undefined) return;
      this.#options.onRefused('http', refusal.code);
      challenge(reply, refusal);
      throw new HttpInputError(refusal);
    });
  }

  /** Whether a client may come in. Without authentication, at once; a token takes a moment. */
  admit(client: Connection, hello: Hello): Refusal | undefined | Promise<Refusal | undefined> {
    const { auth, cluster, wallMs } = this.#options;
    if (auth === undefined) return undefined;
    const { proved } = client;
    const certificate = proved.by === 'certificate' ? clientOf(cluster, proved.uriNames) : undefined;
    const known = auth.identify({ token: hello.token, certificate }, wallMs());
    return known instanceof Promise ? known.then((one) => this.#admitted(client, one)) : this.#admitted(client, known);
  }

  /** Why a request of a client is refused. */
  refusalOf(client: Connection, operation: Operation): Failure | undefined {
    const refusal = this.#clientRefusal(client, operation);
    if (refusal !== undefined) this.#options.onRefused('binary', refusal.code);
    return refusal;
  }

  #clientRefusal(client: Connection, operation: Operation): Failure | undefined {
    const { auth, rates, nowMs } = this.#options;
    if (auth === undefined) return rates.take(client.host, nowMs());
    const principal = this.#principals.get(client);
    if (principal === undefined) return failure('CREDENTIALS_MISSING', 'this connection has not said who it is');
    if (!auth.knows(principal)) return failure('CREDENTIALS_INVALID', 'the key was taken away');
    return rates.take(principal.id, nowMs()) ?? this.#permission(principal, OPERATION_ROLES[operation]);
  }

  #admitted(client: Connection, known: Principal | Failure): Refusal | undefined {
    if ('outcome' in known) {
      this.#options.onRefused('binary', known.code);
      return { code: known.code, message: known.message };
    }
    this.#principals.set(client, known);
    return undefined;
  }

  async #httpRefusal(request: FastifyRequest, role: HttpRole | undefined): Promise<Failure | undefined> {
    const { auth, rates, nowMs, wallMs } = this.#options;
    if (auth === undefined) return rates.take(request.ip, nowMs());
    const known = await auth.identify(this.#credentialsOf(request), wallMs());
    // Who is not known is counted by address: guessing is slow.
    const isKnown = !('outcome' in known);
    const tooFast = rates.take(isKnown ? known.id : request.ip, nowMs());
    if (tooFast !== undefined) return tooFast;
    return isKnown ? this.#permission(known, role) : known;
  }

  #permission({ roles, expiresMs }: Principal, needed: HttpRole | undefined): Failure | undefined {
    if (expiresMs !== undefined && this.#options.wallMs() >= expiresMs) {
      return failure('TOKEN_EXPIRED', 'the token has expired: connect again with a new one');
    }
    if (needed === 'open') return undefined;
    if (needed !== undefined && grants(roles, needed)) return undefined;
    const message = `this takes the role ${needed ?? 'of nobody'}; you have ${roles.join(', ') || 'none'}`;
    return failure('ROLE_MISSING', message, { role: needed ?? null, roles: roles.join(',') });
  }

  #credentialsOf(request: FastifyRequest): Credentials {
    const header = request.headers.authorization;
    const [, token] = /^Bearer +(\S+)$/i.exec(header?.slice(0, AUTHORIZATION_CHARS_MAX) ?? '') ?? [];
    const proved = provedBy(request.raw.socket);
    const certificate = proved.by === 'certificate' ? clientOf(this.#options.cluster, proved.uriNames) : undefined;
    // Another scheme is a wrong credential, not a missing one: it is not passed over for the certificate.
    return { token: header === undefined ? undefined : (token ?? 'none'), certificate };
  }
}

/** RFC 6750: what kind of credential is wanted, and what was wrong with the one that came. */
function challenge(reply: FastifyReply, { code, evidence }: Failure): void {
  if (code === 'CREDENTIALS_MISSING') void reply.header('www-authenticate', 'Bearer realm="lockstep"');
  else if (code === 'ROLE_MISSING') {
    const scope = typeof evidence.role === 'string' ? `, scope="${evidence.role}"` : '';
    void reply.header('www-authenticate', `Bearer realm="lockstep", error="insufficient_scope"${scope}`);
  } else if (code !== 'RATE_LIMITED') {
    void reply.header('www-authenticate', 'Bearer realm="lockstep", error="invalid_token"');
  }
}
