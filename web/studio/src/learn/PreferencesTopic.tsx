import { signal } from '@preact/signals';
import type { TrainingRow, TrainingRun } from '../../../../src/studio/learn/api.js';
import { dpoLoss, dpoWeight } from './dpo.js';
import { figures, useFigures } from './figures.js';
import { COLOURS, Plot, short, type Line } from './Plot.js';

/** CROP's (arXiv 2605.12545) and the trainer's own default. */
const PAPER_BETA = 0.2;
const MOST_MARGIN = 20;
const OTHER_BETAS = [0.05, 0.5, 1];
const beta = signal(PAPER_BETA);
const margin = signal(0);

const margins = Array.from({ length: 161 }, (_, i) => (i / 80 - 1) * MOST_MARGIN);

/** The loss that teaches which crop people prefer, and what a run of training came to by it. */
export function PreferencesTopic() {
  useFigures();
  return (
    <>
      <p class="lead">
        First a model learns to answer as people crop; then, by Direct Preference Optimization, which of two crops they
        prefer. Of each pair the chosen answer is to gain probability over the rejected one, against the model before
        (the reference). How much more it has gained is the margin.
      </p>
      <p class="formula">
        loss = −log σ(β · margin), &emsp; margin = log <sup>π(chosen)</sup>⁄<sub>π₀(chosen)</sub> − log{' '}
        <sup>π(rejected)</sup>⁄<sub>π₀(rejected)</sub>
      </p>
      <form class="asking" onSubmit={(event) => event.preventDefault()}>
        <Slider text="β" value={beta.value} min={0.02} max={1} step={0.01} onInput={(value) => (beta.value = value)} />
        <Slider
          text="margin, nats"
          value={margin.value}
          min={-MOST_MARGIN}
          max={MOST_MARGIN}
          step={0.25}
          onInput={(value) => (margin.value = value)}
        />
        <button type="button" onClick={() => (beta.value = PAPER_BETA)}>
          β of the article: {PAPER_BETA}
        </button>
      </form>
      <p role="status" class="readout">
        At a margin of {short(margin.value)} the loss is {short(dpoLoss(margin.value, beta.value))}, and the pair pulls
        with {short(dpoWeight(margin.value, beta.value))}.
      </p>
      <div class="plots">
        <Plot title="Loss of a pair" xLabel="margin, nats" lines={curves(dpoLoss)} marker={margin.value} />
        <Plot title="How hard a pair pulls" xLabel="margin, nats" lines={curves(dpoWeight)} marker={margin.value} />
      </div>
      <p class="note">
        A small β lets the model go far from the reference before a pair is settled; a large one settles it after
        little, and pulls hardest at pairs that are the wrong way round.
      </p>
      <h2>Runs of training</h2>
      <Runs />
    </>
  );
}

function curves(of: (margin: number, beta: number) => number): Line[] {
  const line = (value: number, colour: string, isDashed: boolean): Line => ({
    name: `β ${short(value)}`,
    colour,
    isDashed,
    points: margins.map((x) => [x, of(x, value)] as const),
  });
  return [...OTHER_BETAS.map((value, i) => line(value, COLOURS[i + 1]!, true)), line(beta.value, COLOURS[0], false)];
}

function Slider({
  text,
  value,
  min,
  max,
  step,
  onInput,
}: {
  readonly text: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onInput: (value: number) => void;
}) {
  return (
    <label>
      {text}{' '}
      <input
        type="range"
        {...{ min, max, step, value }}
        onInput={(event) => onInput(Number(event.currentTarget.value))}
      />{' '}
      {short(value)}
    </label>
  );
}

function Runs() {
  const { trainings = [] } = figures.value ?? {};
  if (trainings.length === 0) {
    return (
      <p class="note">
        None was named. <code>framewright train dpo</code> writes a folder beside its adapter (
        <code>taste-training</code> beside <code>taste.gguf</code>); start with{' '}
        <code>framewright studio photos/ --training taste-training</code>.
      </p>
    );
  }
  return (
    <>
      {trainings.map((run) => (
        <Run key={run.name} run={run} />
      ))}
    </>
  );
}

const CURVES = [
  ['Loss', 'loss', 'heldOutLoss'],
  ['Reward margin: β · margin', 'margin', 'heldOutMargin'],
  ['Pairs whose chosen answer is the likelier', undefined, 'heldOutPreferred'],
] as const satisfies readonly (readonly [string, keyof TrainingRow | undefined, keyof TrainingRow])[];

function Run({ run: { name, rows, problem } }: { readonly run: TrainingRun }) {
  if (problem !== undefined) {
    return (
      <p class="failure">
        {name}: {problem}
      </p>
    );
  }
  return (
    <section aria-label={name}>
      <h3>{name}</h3>
      <div class="plots">
        {CURVES.map(([title, learnt, heldOut]) => {
          const lines = [
            ...(learnt ? [{ name: 'learnt from', colour: COLOURS[0], points: pointsOf(rows, learnt) }] : []),
            { name: 'held out', colour: COLOURS[1], points: pointsOf(rows, heldOut) },
          ].filter(({ points }) => points.length > 0);
          return lines.length > 0 && <Plot key={title} title={title} xLabel="step" lines={lines} />;
        })}
      </div>
    </section>
  );
}

function pointsOf(rows: readonly TrainingRow[], column: keyof TrainingRow): (readonly [number, number])[] {
  return rows.flatMap((row) => {
    const value = row[column];
    return value === null ? [] : [[row.step, value] as const];
  });
}
