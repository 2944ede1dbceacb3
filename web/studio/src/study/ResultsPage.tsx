import { useEffect, useState } from 'preact/hooks';
import { exportUrl, results, type ResultsAnswer } from './api.js';

const ASKED_EVERY_MS = 4000;
const EXPORTS = [
  ['jsonl', 'judgements (JSON Lines)'],
  ['csv', 'judgements (CSV)'],
  ['pairs', 'preferred pairs, to train on'],
  ['choices', 'winning crops (choices)'],
] as const;

/** What the judges say so far, for whoever asked them. */
export function ResultsPage() {
  const [isWithoutFailed, setWithoutFailed] = useState(false);
  const [found, setFound] = useState<ResultsAnswer>();
  const [error, setError] = useState<string>();

  useEffect(() => {
    let isOver = false;
    const look = async (): Promise<void> => {
      try {
        const answer = await results(isWithoutFailed);
        if (isOver) return;
        setFound(answer);
        setError(undefined);
      } catch (reason) {
        if (!isOver) setError(reason instanceof Error ? reason.message : String(reason));
      }
    };
    void look();
    const timer = setInterval(() => void look(), ASKED_EVERY_MS);
    return () => {
      isOver = true;
      clearInterval(timer);
    };
  }, [isWithoutFailed]);

  return (
    <main class="results">
      {error !== undefined && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {found && (
        <>
          <h1>{found.title}</h1>
          <p class="note">
            {found.nJudgements} of {found.nTotal} judgements; {count(found.nPairs, 'pair')},{' '}
            {count(found.nChecks, 'attention check')}
            {found.nSame > 0 && `; ${count(found.nSame, 'pair')} of the very same crop not asked about`}
          </p>
          <label class="check">
            <input type="checkbox" checked={isWithoutFailed} onChange={() => setWithoutFailed(!isWithoutFailed)} />
            without judges that failed attention checks
            {found.leftOut.length > 0 && ` (${found.leftOut.map((judge) => judge + 1).join(', ')})`}
          </label>
          <Comparisons found={found} />
          <Judges found={found} />
          <h2>Download</h2>
          <ul>
            {EXPORTS.map(([form, text]) => (
              <li key={form}>
                <a href={exportUrl(form, isWithoutFailed)} download>
                  {text}
                </a>
              </li>
            ))}
          </ul>
          {found.notes.length > 0 && (
            <details>
              <summary>{count(found.notes.length, 'note')}</summary>
              <ul>
                {found.notes.map((note) => (
                  <li key={note}>{note}</li>
                ))}
              </ul>
            </details>
          )}
        </>
      )}
    </main>
  );
}

function Comparisons({ found }: { readonly found: ResultsAnswer }) {
  return (
    <section>
      <h2>Preference</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">preferred</th>
              <th scope="col">to</th>
              <th scope="col">of judgements</th>
              <th scope="col">over photos</th>
              <th scope="col">for, against, ties</th>
              <th scope="col">of pairs, by most judges</th>
              <th scope="col">for, against, ties</th>
            </tr>
          </thead>
          <tbody>
            {found.comparisons.map(({ a, b, judgements, overPhotos, pairs }) => (
              <tr key={`${a} ${b}`}>
                <th scope="row">{a}</th>
                <td>{b}</td>
                <td>{rateText(judgements)}</td>
                <td>{overPhotos === null ? 'n/a' : intervalText(overPhotos)}</td>
                <td>{votesText(judgements)}</td>
                <td>{rateText(pairs)}</td>
                <td>{votesText(pairs)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="note">
        In brackets 95 % intervals: Wilson’s, and over photos by bootstrap; ties aside. Agreement, Krippendorff’s α:{' '}
        {found.alpha?.toFixed(3) ?? 'n/a'}. The left crop was preferred in {rateText(found.left)}.
      </p>
    </section>
  );
}

function Judges({ found }: { readonly found: ResultsAnswer }) {
  return (
    <section>
      <h2>Judges</h2>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th scope="col">judge</th>
              <th scope="col">link</th>
              <th scope="col">done</th>
              <th scope="col">checks failed</th>
              <th scope="col">median time</th>
            </tr>
          </thead>
          <tbody>
            {found.judges.map(({ judge, nDone, nTotal, nChecks, nChecksFailed, hasFailed, medianMs }) => (
              <tr key={judge} class={hasFailed ? 'failed' : undefined}>
                <th scope="row">{judge + 1}</th>
                <td>
                  <code>{found.links[judge]}</code>
                </td>
                <td>
                  {nDone} of {nTotal}
                </td>
                <td>
                  {nChecksFailed} of {nChecks}
                  {hasFailed && ' (failed)'}
                </td>
                <td>{medianMs === null ? '' : `${(medianMs / 1000).toFixed(1)} s`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function rateText({ rate, low, high }: ResultsAnswer['left'] | ResultsAnswer['comparisons'][number]['pairs']): string {
  if (rate === null || low === null || high === null) return 'n/a';
  return `${percent(rate)} % ${intervalText({ low, high })}`;
}

function intervalText({ low, high }: { readonly low: number; readonly high: number }): string {
  return `[${percent(low)}, ${percent(high)}]`;
}

function percent(share: number): string {
  return (100 * share).toFixed(1);
}

function votesText({ a, b, ties }: ResultsAnswer['comparisons'][number]['pairs']): string {
  return `${a}, ${b}, ${ties}`;
}

function count(n: number, one: string): string {
  return `${n} ${one}${n === 1 ? '' : 's'}`;
}
