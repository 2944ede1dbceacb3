import { useEffect, useState } from 'preact/hooks';
import { cropUrl, judge, judgeOf, type Answer, type JudgeAnswer } from './api.js';
import { PairView } from './PairView.js';

/** A judge's pairs, one after the other, from the first that has no answer yet. */
export function JudgePage({ code }: { readonly code: string }) {
  const [asked, setAsked] = useState<JudgeAnswer>();
  const [index, setIndex] = useState(0);
  const [error, setError] = useState<string>();
  const [isSaving, setSaving] = useState(false);

  useEffect(() => {
    judgeOf(code).then(
      (answer) => {
        setAsked(answer);
        setIndex(firstOpen(answer, 0));
      },
      (reason: unknown) => setError(textOf(reason)),
    );
  }, [code]);

  const pairs = asked?.pairs ?? [];
  const pair = pairs[index];
  const next = pairs[index + 1];
  const nDone = pairs.filter(({ answer }) => answer !== undefined).length;

  useEffect(() => {
    if (next === undefined) return;
    for (const side of ['left', 'right'] as const) new Image().src = cropUrl(code, next.id, side);
  }, [code, next]);

  async function answer(given: Answer, tookMs: number): Promise<void> {
    if (asked === undefined || pair === undefined || isSaving) return;
    setSaving(true);
    try {
      await judge(code, pair.id, { answer: given, tookMs });
      setAsked({ ...asked, pairs: pairs.map((each) => (each === pair ? { ...each, answer: given } : each)) });
      setIndex(index + 1);
      setError(undefined);
    } catch (reason) {
      setError(textOf(reason));
    } finally {
      setSaving(false);
    }
  }

  return (
    <main class="judge">
      <header>
        <h1>{asked?.question ?? 'Which crop is better?'}</h1>
        {asked && (
          <p class="progress" role="status">
            <progress value={nDone} max={pairs.length} aria-label="answered" />
            {pair ? `${index + 1} of ${pairs.length}` : `${nDone} of ${pairs.length} answered`}
          </p>
        )}
      </header>
      {error !== undefined && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {pair && (
        <PairView
          key={pair.id}
          code={code}
          pair={pair}
          isSaving={isSaving}
          onAnswer={(given, ms) => void answer(given, ms)}
        />
      )}
      {asked && !pair && <End nOpen={pairs.length - nDone} onGo={() => setIndex(firstOpen(asked, 0))} />}
      {asked && (
        <footer>
          <button type="button" disabled={index === 0 || isSaving} onClick={() => setIndex(index - 1)}>
            ← Back
          </button>
          {pair?.answer !== undefined && (
            <button type="button" disabled={isSaving} onClick={() => setIndex(index + 1)}>
              Leave it so →
            </button>
          )}
          <p class="note">Keys: 1 or ← for the first, 2 or → for the second, 0 or ↓ for no difference.</p>
        </footer>
      )}
    </main>
  );
}

function End({ nOpen, onGo }: { readonly nOpen: number; readonly onGo: () => void }) {
  return (
    <section class="end" tabIndex={-1} ref={(node) => node?.focus()}>
      {nOpen === 0 ? (
        <>
          <h2>Thank you, that was all.</h2>
          <p>Your answers are kept. You may go back and change them, or close this page.</p>
        </>
      ) : (
        <>
          <h2>{nOpen} are still open.</h2>
          <button type="button" class="main" onClick={onGo}>
            Go on
          </button>
        </>
      )}
    </section>
  );
}

function firstOpen({ pairs }: JudgeAnswer, from: number): number {
  const found = pairs.findIndex(({ answer }, i) => i >= from && answer === undefined);
  return found < 0 ? pairs.length : found;
}

function textOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
