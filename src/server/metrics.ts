import { family } from '../base/prometheus.js';
import type { Cropper } from '../cropper/cropper.js';
import type { WorkQueue } from './queue/work-queue.js';

/** Upper bounds of the times' histogram, in seconds. */
const BOUNDS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** What the server has done, for Prometheus. */
export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #times = new Map<string, { counts: number[]; sum: number; n: number }>();
  readonly #started = Date.now();

  /** @param route as it is declared; of nothing that clients make up */
  note(route: string, status: number, seconds: number): void {
    const key = `route="${route}",status="${status}"`;
    this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
    const times = this.#times.get(route) ?? { counts: BOUNDS_S.map(() => 0), sum: 0, n: 0 };
    BOUNDS_S.forEach((bound, i) => (times.counts[i]! += seconds <= bound ? 1 : 0));
    this.#times.set(route, { ...times, sum: times.sum + seconds, n: times.n + 1 });
  }

  /** In the text format 0.0.4. */
  text(queue: WorkQueue, cropper: Cropper): string {
    const counters = cropper.counters();
    const families = [
      family(
        'requests_total',
        'counter',
        'Requests answered.',
        [...this.#requests].map(([key, n]) => [`{${key}}`, n]),
      ),
      histogram(this.#times),
      family('working', 'gauge', 'Requests that are worked on.', [['', queue.nWorking]]),
      family('waiting', 'gauge', 'Requests that wait.', [['', queue.nWaiting]]),
      family('images_total', 'counter', 'Images taken into the model.', [['', counters.nImages]]),
      family('tokens_total', 'counter', 'Tokens the model has decoded.', [['', counters.nTokensDecoded]]),
      family('resident_bytes', 'gauge', 'Resident memory of the process.', [['', process.memoryUsage.rss()]]),
      family('uptime_seconds', 'gauge', 'Time since the start.', [['', (Date.now() - this.#started) / 1000]]),
    ];
    return families.join('');
  }
}

function histogram(times: ReadonlyMap<string, { counts: readonly number[]; sum: number; n: number }>): string {
  const name = 'request_seconds';
  const head = family(name, 'histogram', 'Time from a request to its answer.', []);
  const samples = [...times].flatMap(([route, { counts, sum, n }]) => [
    ...counts.map((count, i) => `_bucket{route="${route}",le="${BOUNDS_S[i]}"} ${count}`),
    `_bucket{route="${route}",le="+Inf"} ${n}`,
    `_sum{route="${route}"} ${sum}`,
    `_count{route="${route}"} ${n}`,
  ]);
  return head + samples.map((sample) => `framewright_${name}${sample}\n`).join('');
}
