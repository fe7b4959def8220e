/** How fast a count goes on and when it ends: `12 of 300 edges` becomes `12 of 300 edges, 6/s, 48 s left`. No clock of its own. */
import { grouped } from './html.ts';

const COUNT = /(\d+) of (\d+) ([a-z]+)/;
/** Before this much has passed a rate says nothing. */
const RATE_MS_MIN = 500;

export class Pace {
  #what = '';
  #startMs = 0;
  #startCount = 0;
  #lastCount = 0;

  /** @param line of one component; @param nowMs monotonic */
  line(component: string, line: string, nowMs: number): string {
    const match = COUNT.exec(line);
    if (match === null) return line;
    const [text, done = '0', all = '0', unit = ''] = match;
    const [count, total] = [Number(done), Number(all)];
    const what = `${component} ${line.slice(0, match.index)} ${total} ${unit}`;
    if (what !== this.#what || count < this.#lastCount) {
      this.#what = what;
      this.#startMs = nowMs;
      this.#startCount = count;
    }
    this.#lastCount = count;
    const shown = line.replace(text, `${grouped(count)} of ${grouped(total)} ${unit}`);
    const elapsedMs = nowMs - this.#startMs;
    const rate = (count - this.#startCount) / (elapsedMs / 1000);
    if (elapsedMs < RATE_MS_MIN || rate <= 0) return shown;
    const left = Math.ceil((total - count) / rate);
    return `${shown}, ${grouped(rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate))}/s, ${leftText(left)} left`;
  }
}

function leftText(seconds: number): string {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
