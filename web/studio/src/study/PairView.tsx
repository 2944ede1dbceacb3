import { useEffect, useRef, useState } from 'preact/hooks';
import { cropUrl, type Answer, type JudgeAnswer } from './api.js';

const KEYS: Readonly<Record<string, Answer>> = {
  1: 'left',
  ArrowLeft: 'left',
  2: 'right',
  ArrowRight: 'right',
  0: 'tie',
  ArrowDown: 'tie',
};

interface PairProps {
  readonly code: string;
  readonly pair: JudgeAnswer['pairs'][number];
  readonly isSaving: boolean;
  readonly onAnswer: (answer: Answer, tookMs: number) => void;
}

/** Two crops and what can be said of them, once both are there to be seen. */
export function PairView({ code, pair, isSaving, onAnswer }: PairProps) {
  const [nLoaded, setLoaded] = useState(0);
  const shownAt = useRef(0);
  const isReady = nLoaded === 2 && !isSaving;

  function loaded(): void {
    shownAt.current = performance.now();
    setLoaded((n) => n + 1);
  }
  function answer(given: Answer): void {
    if (isReady) onAnswer(given, Math.round(performance.now() - shownAt.current));
  }

  useEffect(() => {
    const press = (event: KeyboardEvent): void => {
      const given = KEYS[event.key];
      if (given === undefined || event.repeat || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      answer(given);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  });

  return (
    <div class="pair" aria-busy={!isReady}>
      {(['left', 'right'] as const).map((side, i) => (
        <button
          key={side}
          type="button"
          class="choice"
          disabled={!isReady}
          aria-pressed={pair.answer === side}
          aria-label={`crop ${i + 1} is better`}
          onClick={() => answer(side)}
        >
          <img
            src={cropUrl(code, pair.id, side)}
            width={pair[side].width}
            height={pair[side].height}
            alt=""
            onLoad={loaded}
          />
          <span>{i + 1}</span>
        </button>
      ))}
      <button
        type="button"
        class="tie"
        disabled={!isReady}
        aria-pressed={pair.answer === 'tie'}
        onClick={() => answer('tie')}
      >
        No difference
      </button>
    </div>
  );
}
