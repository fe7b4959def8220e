/** A server for tests of the client that says exactly what the test tells it to, over a real connection on this machine. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Address } from '../../../impl/client/index.ts';
import { type AnswerOf, encodeAnswer, encodeFailure, type Failure } from '../../../impl/wire/answer.ts';
import { encodeFrame, FRAME_KINDS, type FrameKind, FrameReader } from '../../../impl/wire/frame.ts';
import { decodeHello, encodeGoodbye, encodeHello, type Hello } from '../../../impl/wire/hello.ts';
import { decodeRequest, type Operation, type Request, type RequestBody } from '../../../impl/wire/request.ts';

export const HASH = new Uint8Array(32).fill(7);

/** A request that came, and the ways to end it. */
export interface Asked {
  readonly request: Request;
  readonly body: RequestBody;
  applied<Op extends Operation>(operation: Op, answer: AnswerOf[Op]): void;
  refused(code: string, evidence?: Failure['evidence'], outcome?: Failure['outcome']): void;
  /** The connection ends without an answer. */
  hangUp(): void;
}

export type Script = (asked: Asked, server: ScriptedServer) => void;

export class ScriptedServer {
  readonly replica: number;
  readonly hellos: Required<Hello>[] = [];
  /** Every request but status, in the order in which they came. */
  readonly asked: Asked[] = [];
  readonly sockets = new Set<Socket>();
  script: Script;
  /** Instead of a Hello: a Goodbye with this code. */
  refuses: string | undefined;
  /** Sessions that it has made. */
  sessions = 0;
  window = 64;
  commitId = 100;
  readonly #server: Server;

  private constructor(replica: number, script: Script) {
    this.replica = replica;
    this.script = script;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async start(script: Script = commits, replica = 0): Promise<ScriptedServer> {
    const server = new ScriptedServer(replica, script);
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', () => resolve()));
    return server;
  }

  get address(): Address {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens');
    return { host: '127.0.0.1', port: address.port };
  }

  /** The requests of one kind that came. */
  of<Op extends Operation>(operation: Op): (RequestBody & { operation: Op })[] {
    const bodies = this.asked.map(({ body }) => body);
    return bodies.filter((body): body is RequestBody & { operation: Op } => body.operation === operation);
  }

  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.hangUp();
    await closed;
  }

  #accept(socket: Socket): void {
    const reader = new FrameReader();
    this.sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('data', (chunk) => reader.push(chunk, (kind, payload) => this.#receive(socket, kind, payload)));
  }

  #receive(socket: Socket, kind: FrameKind, payload: Buffer): void {
    const send = (sent: FrameKind, bytes: Uint8Array): void => void socket.write(encodeFrame(sent, bytes));
    if (kind === FRAME_KINDS.ping) send(FRAME_KINDS.pong, new Uint8Array(0));
    if (kind === FRAME_KINDS.hello) {
      this.hellos.push(decodeHello(payload));
      const { replica, refuses } = this;
      const hello = { role: 'peer', replica, replicaCount: 3, to: 255, cluster: 7n } as const;
      if (refuses === undefined) send(FRAME_KINDS.hello, encodeHello(hello));
      else socket.end(encodeFrame(FRAME_KINDS.goodbye, encodeGoodbye({ code: refuses, message: 'no' })));
    }
    if (kind !== FRAME_KINDS.clientRequest) return;
    const request = decodeRequest(payload);
    const { id, body } = request;
    const asked: Asked = {
      request,
      body,
      applied: (operation, answer) => send(FRAME_KINDS.clientResponse, encodeAnswer(id, operation, answer)),
      refused: (code, evidence = {}, outcome = 'refused') =>
        send(FRAME_KINDS.clientResponse, encodeFailure(id, { outcome, code, message: code, evidence })),
      hangUp: () => socket.destroy(),
    };
    if (body.operation === 'status') {
      const { replica, commitId: commit } = this;
      const facts = { replica, replicaCount: 3, status: 'normal', view: 0, op: commit, commit, primary: replica };
      asked.applied('status', facts);
      return;
    }
    this.asked.push(asked);
    this.script(asked, this);
  }
}

/** Does what it is asked. Offsets count over all streams; a number that came before gets no special answer. */
export function commits(asked: Asked, server: ScriptedServer): void {
  const { body } = asked;
  const commitId = ++server.commitId;
  if (body.operation === 'register-session') {
    const clientId = 1_000 + ++server.sessions;
    asked.applied('register-session', { clientId, window: server.window, commitId, hash: HASH });
  } else if (body.operation === 'append') {
    const { length: count } = body.events;
    const firstOffset = offsets(server, count);
    asked.applied('append', { firstOffset, lastOffset: firstOffset + count - 1, count, commitId, hash: HASH });
  } else if (body.operation === 'read') asked.applied('read', { events: [], nextOffset: body.from, commitId });
  else if (body.operation === 'list-streams') asked.applied('list-streams', { streams: [], commitId });
  else if (body.operation === 'lookup-key') asked.applied('lookup-key', { found: undefined, keptSinceCommitId: 1 });
  else if (body.operation !== 'status') asked.applied(body.operation, { commitId, hash: HASH });
}

const appended = new WeakMap<ScriptedServer, number>();
function offsets(server: ScriptedServer, count: number): number {
  const first = appended.get(server) ?? 0;
  appended.set(server, first + count);
  return first;
}
