/** The process of an attack: what to do as JSON in its argument, what came of it as JSON on its output. */
import { type Attack, attack, linger } from './attacker.ts';

type Order =
  | ({ readonly what: 'attack' } & Attack)
  | {
      readonly what: 'linger';
      readonly host: string;
      readonly tcpPort: number;
      readonly count: number;
      /** Bytes in hexadecimal: at once, and one at a time. */
      readonly first: string;
      readonly drip: string;
      readonly withinMs: number;
    };

const order = JSON.parse(process.argv[2] ?? '{}') as Order;
const result =
  order.what === 'attack'
    ? await attack(order)
    : await linger(order.host, order.tcpPort, order.count, bytesOf(order.first), bytesOf(order.drip), order.withinMs);
console.log(JSON.stringify(result));

function bytesOf(hex: string): Buffer {
  return Buffer.from(hex, 'hex');
}
