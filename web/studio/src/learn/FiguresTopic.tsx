import { useSignal } from '@preact/signals';
import type { Evaluation, EvaluationFile } from '../../../../src/studio/learn/api.js';
import { figures, useFigures } from './figures.js';
import { COLOURS, Plot, short } from './Plot.js';

type Method = Evaluation['methods'][number];
type Figure = Method['figures'][string];

/** What methods were measured at, from files of `framewright eval`. */
export function FiguresTopic() {
  useFigures();
  const { evaluations } = figures.value ?? {};
  return (
    <>
      <p class="lead">
        What methods come to on a data set, each with its 95 % interval; what a stage is worth, by going without it; how
        much a setting matters. All of it is read from files of evaluations; nothing here is made up.
      </p>
      {evaluations?.length === 0 && (
        <p class="note">
          None was named. Make one with <code>framewright eval gaicd GAICD/ --split test --out gaicd.json</code>, with{' '}
          <code>--ablate all</code> for what the stages are worth and <code>--sweep candidates=1,3,5,8</code> for a
          slider, and start with <code>framewright studio photos/ --evaluation gaicd.json</code>.
        </p>
      )}
      {evaluations?.map((file) => (
        <File key={file.name} file={file} />
      ))}
    </>
  );
}

function File({ file: { name, result, problem } }: { readonly file: EvaluationFile }) {
  if (!result) {
    return (
      <p class="failure">
        {name}: {problem}
      </p>
    );
  }
  return <Evaluated name={name} result={result} />;
}

function Evaluated({ name, result }: { readonly name: string; readonly result: Evaluation }) {
  const { dataset, measures, methods } = result;
  const measureId = useSignal(measures[0]?.id ?? '');
  const hidden = useSignal<ReadonlySet<string>>(new Set());
  const measure = measures.find(({ id }) => id === measureId.value);
  if (!measure) return <p class="failure">{name}: it has no figures</p>;
  const figureOf = (method: Method): Figure | undefined => method.figures[measure.id];
  const toggle = (method: string): void => {
    const next = new Set(hidden.value);
    if (!next.delete(method)) next.add(method);
    hidden.value = next;
  };
  const shown = methods.filter(isWhole);
  return (
    <section class="evaluation" aria-label={name}>
      <h2>{name}</h2>
      <p class="note">
        {dataset.name}
        {dataset.split === null ? '' : `, ${dataset.split}`}: {dataset.nPhotos} photos; {result.createdAt.slice(0, 10)}.
      </p>
      <label class="inline">
        Figure{' '}
        <select value={measure.id} onChange={(event) => (measureId.value = event.currentTarget.value)}>
          {measures.map(({ id, label }) => (
            <option key={id} value={id}>
              {label}
            </option>
          ))}
        </select>{' '}
        {measure.better} is better
      </label>
      <div class="legend" role="group" aria-label="methods shown">
        {shown.map(({ name: method }, i) => (
          <button key={method} type="button" aria-pressed={!hidden.value.has(method)} onClick={() => toggle(method)}>
            <span class="swatch" style={{ background: COLOURS[i % COLOURS.length] }} aria-hidden="true" /> {method}
          </button>
        ))}
      </div>
      <Bars
        rows={shown.flatMap((method, i) =>
          hidden.value.has(method.name)
            ? []
            : [{ name: method.name, figure: figureOf(method), colour: COLOURS[i % COLOURS.length]! }],
        )}
      />
      <Ablations methods={methods} figureOf={figureOf} />
      <Sweeps methods={methods} figureOf={figureOf} label={measure.label} />
    </section>
  );
}

/** Not one of the variants that the parts below are about. */
function isWhole({ name, ablation, sweeps = [] }: Method): boolean {
  return !ablation && sweeps.every(({ series }) => series === name);
}

interface Row {
  readonly name: string;
  readonly figure: Figure | undefined;
  readonly colour: string;
}

/** Bars from 0 with the interval of each as a line over its end. */
function Bars({ rows }: { readonly rows: readonly Row[] }) {
  const most = Math.max(...rows.map(({ figure }) => figure?.high ?? figure?.value ?? 0), 0) || 1;
  const at = (value: number): string => `${String(100 * Math.max(0, Math.min(1, value / most)))}%`;
  return (
    <ul class="figure-bars">
      {rows.map(({ name, figure, colour }) => {
        const interval = intervalOf(figure);
        return (
          <li key={name}>
            <span>{name}</span>
            <span class="track" aria-hidden="true">
              <span class="fill" style={{ width: at(figure?.value ?? 0), background: colour }} />
              {interval && (
                <span class="interval" style={{ left: at(interval[0]), width: at(interval[1] - interval[0]) }} />
              )}
            </span>
            <span>{exact(figure)}</span>
          </li>
        );
      })}
    </ul>
  );
}

function intervalOf(figure: Figure | undefined): readonly [low: number, high: number] | undefined {
  const { low = null, high = null } = figure ?? {};
  return low === null || high === null ? undefined : [low, high];
}

function exact(figure: Figure | undefined): string {
  const value = figure?.value ?? null;
  if (value === null) return 'not measured';
  const interval = intervalOf(figure);
  return interval ? `${short(value)} [${interval.map(short).join(', ')}]` : short(value);
}

interface Shown {
  readonly methods: readonly Method[];
  readonly figureOf: (method: Method) => Figure | undefined;
}

function Ablations({ methods, figureOf }: Shown) {
  const ablations = methods.filter(({ ablation }) => ablation);
  if (ablations.length === 0) return null;
  const wholes = [...new Set(ablations.map(({ ablation }) => ablation!.of))];
  return (
    <>
      <h3>Without a stage</h3>
      {wholes.map((whole) => (
        <Bars
          key={whole}
          rows={[
            ...methods.filter(({ name }) => name === whole).map((method) => row(method, method.name, 0)),
            ...ablations
              .filter(({ ablation }) => ablation!.of === whole)
              .map((method, i) => row(method, method.ablation!.change, i + 1)),
          ]}
        />
      ))}
    </>
  );

  function row(method: Method, name: string, i: number): Row {
    return { name, figure: figureOf(method), colour: COLOURS[i % COLOURS.length]! };
  }
}

function Sweeps({ methods, figureOf, label }: Shown & { readonly label: string }) {
  const points = methods.flatMap((method) =>
    (method.sweeps ?? []).map((sweep) => ({ ...sweep, figure: figureOf(method) })),
  );
  const parameters = [...new Set(points.map(({ parameter }) => parameter))];
  return (
    <>
      {parameters.map((parameter) => (
        <Sweep
          key={parameter}
          label={label}
          parameter={parameter}
          points={points.filter((point) => point.parameter === parameter)}
        />
      ))}
    </>
  );
}

interface SweepPoint {
  readonly value: number;
  readonly label?: string | undefined;
  readonly series: string;
  readonly figure: Figure | undefined;
}

/** A figure against a setting, and a slider that reads it out. */
function Sweep({
  parameter,
  points,
  label,
}: {
  readonly parameter: string;
  readonly points: readonly SweepPoint[];
  readonly label: string;
}) {
  const at = useSignal(0);
  const values = [...new Set(points.map(({ value }) => value))].sort((a, b) => a - b);
  const series = [...new Set(points.map((point) => point.series))];
  const value = values[Math.min(at.value, values.length - 1)]!;
  const here = points.filter((point) => point.value === value);
  return (
    <>
      <h3>By {parameter}</h3>
      <label class="inline">
        {parameter}{' '}
        <input
          type="range"
          min={0}
          max={values.length - 1}
          value={at.value}
          aria-valuetext={here[0]?.label ?? short(value)}
          onInput={(event) => (at.value = Number(event.currentTarget.value))}
        />{' '}
        {here[0]?.label ?? short(value)}
      </label>
      <p role="status" class="readout">
        {here.map((point) => `${point.series}: ${exact(point.figure)}`).join(' · ')}
      </p>
      <Plot
        title={`${label} against ${parameter}`}
        xLabel={parameter}
        marker={value}
        lines={series.map((name, i) => ({
          name,
          colour: COLOURS[i % COLOURS.length]!,
          isDashed: i > 0,
          points: points
            .filter((point) => point.series === name)
            .sort((a, b) => a.value - b.value)
            .flatMap(({ value: x, figure }) => (typeof figure?.value === 'number' ? [[x, figure.value] as const] : [])),
        }))}
      />
    </>
  );
}
