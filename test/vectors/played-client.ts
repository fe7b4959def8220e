/**
 * Plays what a client of some version once sent to a server of today, byte for byte, and lists what came back. The one thing
 * that is written anew is the id of the session, which the server of today gives: it stands at clientIdAt of the payload.
 */
import { connect, type Socket } from 'node:net';
import { encodeFrame, FRAME_KINDS, type FrameKind, FrameReader } from '../../impl/wire/frame.ts';

export interface RecordedStep {
  readonly name: string;
  /** Of the frame that was sent. */
  readonly kind: FrameKind;
  /** Hexadecimal. */
  readonly payload: string;
  /** Where the id of the session stands in the payload. */
  readonly clientIdAt?: number;
  /** What came back: one frame, in the recording and in every later run. */
  readonly answer: { readonly kind: FrameKind; readonly payload: string };
}

export interface RecordedClient {
  readonly protocol: number;
  readonly about: string;
  readonly steps: readonly RecordedStep[];
}

/** Where a register-session answer has the id: after request id and outcome. */
const CLIENT_ID_AT = 5;
const CLIENT_ID_BYTES = 8;
export const REGISTER_SESSION_STEP = 'register a session';

/** Sends each step when the one before it is answered. @returns the answers, in order */
export async function play(
  address: string,
  steps: readonly Omit<RecordedStep, 'answer'>[],
): Promise<{ kind: FrameKind; payload: Buffer }[]> {
  const [host, port] = address.split(':') as [string, string];
  const line = new Line(connect({ host, port: Number(port), noDelay: true }));
  const answers: { kind: FrameKind; payload: Buffer }[] = [];
  let clientId: Buffer | undefined;
  try {
    for (const { name, kind, payload, clientIdAt } of steps) {
      const bytes = Buffer.from(payload, 'hex');
      if (clientIdAt !== undefined && clientId !== undefined) clientId.copy(bytes, clientIdAt);
      const answer = await line.ask(encodeFrame(kind, bytes), name);
      if (name === REGISTER_SESSION_STEP) {
        clientId = Buffer.from(answer.payload.subarray(CLIENT_ID_AT, CLIENT_ID_AT + CLIENT_ID_BYTES));
      }
      answers.push(answer);
    }
    return answers;
  } finally {
    line.close();
  }
}

class Line {
  readonly #socket: Socket;
  readonly #reader = new FrameReader();
  readonly #come: { kind: FrameKind; payload: Buffer }[] = [];
  #waiting:
    | { resolve: (frame: { kind: FrameKind; payload: Buffer }) => void; reject: (error: Error) => void }
    | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => this.#reader.push(chunk, (kind, payload) => this.#receive(kind, payload)));
    const ended = (): void => this.#waiting?.reject(new Error('the connection ended without an answer'));
    socket.on('error', ended);
    socket.on('close', ended);
  }

  ask(frame: Uint8Array, name: string): Promise<{ kind: FrameKind; payload: Buffer }> {
    const answer = new Promise<{ kind: FrameKind; payload: Buffer }>((resolve, reject) => {
      this.#waiting = { resolve, reject: (error) => reject(new Error(`${name}: ${error.message}`)) };
    });
    this.#socket.write(frame);
    this.#deliver();
    return answer;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(kind: FrameKind, payload: Buffer): void {
    if (kind === FRAME_KINDS.ping) return; // silence is not what is played
    this.#come.push({ kind, payload });
    this.#deliver();
  }

  #deliver(): void {
    if (this.#waiting === undefined) return;
    const frame = this.#come.shift();
    if (frame === undefined) return;
    const { resolve } = this.#waiting;
    this.#waiting = undefined;
    resolve(frame);
  }
}
