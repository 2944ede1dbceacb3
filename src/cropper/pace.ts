/** A window of measuring lasts at least this long, and for at least so many photos of each that are taken at once. */
const WINDOW_MS = 750;
const WINDOW_PHOTOS = 4;
/** Photos a second more than with fewer at once, for more to be kept up. */
const LEAST_GAIN = 1.05;
/** So far below as many as before no window has to be long to tell. */
const HOPELESS_GAIN = 0.7;
/** A run's first photos pay for what is loaded and compiled with them. */
const WARM_UP_PHOTOS = 2;

interface Rate {
  readonly nPhotos: number;
  readonly ms: number;
}

/**
 * How many photos to take at once, found out by the photos of a run themselves: twice as many as before are tried against
 * as many as before, in turns (few, many, many, few, so that a machine that grows slower or faster favours neither), and
 * kept where photos a second gain by it. What was found stays for the runs after it.
 */
export class Pace {
  readonly #now: () => number;
  #most: number;
  /** As many as were found to gain. */
  #kept: number;
  /** Windows of the comparison under way that are still to come, the present one first: photos at once in each. */
  #windows: number[];
  #rates = new Map<number, Rate>();
  #nInHand = 0;
  /** Photos to let pass before measuring: they were begun when others were taken at once. */
  #nToPass = WARM_UP_PHOTOS;
  #nMeasured = 0;
  #measuredSince = 0;

  /**
   * @param least photos at once to begin with
   * @param most photos at once to try
   * @param now milliseconds of a clock that does not go back
   */
  constructor({ least = 1, most }: { readonly least?: number; readonly most: number }, now = () => performance.now()) {
    this.#kept = least;
    this.#most = most;
    this.#now = now;
    this.#windows = this.#nextComparison();
  }

  /** Photos to have in hand now. */
  get jobs(): number {
    return this.#windows[0] ?? this.#kept;
  }

  /** Photos will come from now on. Time that passed between two runs is not measured. */
  startRun(): void {
    this.#startWindow(WARM_UP_PHOTOS);
  }

  begin(): void {
    this.#nInHand++;
  }

  /** A photo is done with, and the next one asked for. */
  end(): void {
    this.#nInHand--;
    if (this.#windows.length === 0) return;
    if (this.#nToPass > 0) {
      this.#nToPass--;
      if (this.#nToPass === 0) this.#measuredSince = this.#now();
      return;
    }
    this.#nMeasured++;
    const ms = this.#now() - this.#measuredSince;
    // Photos taken together end together: only whole rounds of them tell how fast they are.
    if (this.#nMeasured % this.jobs > 0) return;
    const isLongEnough = ms >= WINDOW_MS && this.#nMeasured >= WINDOW_PHOTOS * this.jobs;
    if (isLongEnough || this.#isHopeless(ms)) this.#endWindow(ms);
  }

  /** Photos that were begun and will not be asked for. */
  giveUp(nPhotos: number): void {
    this.#nInHand -= nPhotos;
  }

  /** No more than these can be had. */
  limit(most: number): void {
    if (most >= this.#most) return;
    this.#most = most;
    this.#kept = Math.min(this.#kept, most);
    this.#windows = this.#nextComparison();
    this.#startWindow(this.#nInHand);
  }

  #isHopeless(ms: number): boolean {
    return this.jobs > this.#kept && this.#gain({ nPhotos: this.#nMeasured, ms }) < HOPELESS_GAIN;
  }

  #endWindow(ms: number): void {
    const { jobs } = this;
    const before = this.#rates.get(jobs) ?? { nPhotos: 0, ms: 0 };
    const rate = { nPhotos: before.nPhotos + this.#nMeasured, ms: before.ms + ms };
    this.#rates.set(jobs, rate);
    this.#windows.shift();
    if (jobs > this.#kept && this.#gain(rate) < 1 / LEAST_GAIN) this.#windows = [];
    else if (this.#windows.length === 0) this.#settle();
    if (this.jobs === jobs) this.#startWindow(0);
    else this.#startWindow(this.#nInHand);
  }

  /** Goes on to try more where these gained. */
  #settle(): void {
    const tried = Math.min(2 * this.#kept, this.#most);
    if (this.#gain(this.#rates.get(tried)!) < LEAST_GAIN) return;
    this.#kept = tried;
    this.#windows = this.#nextComparison();
  }

  /** Photos a second against those with as many at once as are kept. */
  #gain(many: Rate): number {
    const few = this.#rates.get(this.#kept)!;
    return many.nPhotos / many.ms / (few.nPhotos / few.ms);
  }

  #nextComparison(): number[] {
    this.#rates.clear();
    const [few, many] = [this.#kept, Math.min(2 * this.#kept, this.#most)];
    return many > few ? [few, many, many, few] : [];
  }

  #startWindow(nToPass: number): void {
    this.#nToPass = nToPass;
    this.#nMeasured = 0;
    if (nToPass === 0) this.#measuredSince = this.#now();
  }
}
