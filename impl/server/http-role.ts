/** What a caller of a route must be allowed to do; every route says one, and authentication asks for it. Mirrors no spec module. */

export type HttpRole = 'open' | 'read' | 'write' | 'admin' | 'dx';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Absent only where no route of ours is: such a request is refused. */
    readonly role?: HttpRole;
  }
}
