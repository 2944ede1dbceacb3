import { useEffect, useRef, useState } from 'preact/hooks';
import { percent } from './percent.js';
import type { Token } from './trace.js';

/**
 * An answer as it is written. Tokens that were chosen can be looked into, with a click or with the arrow keys; those the
 * answer's form dictates are paler.
 */
export function Tokens({ tokens, isGoingOn }: { readonly tokens: readonly Token[]; readonly isGoingOn: boolean }) {
  const chosen = tokens.flatMap((token, i) => (token.choice ? [i] : []));
  const [at, setAt] = useState<number | undefined>(undefined);
  const list = useRef<HTMLDivElement>(null);
  const isMoved = useRef(false);
  const current = at ?? chosen[0];

  useEffect(() => {
    if (!isMoved.current) return;
    isMoved.current = false;
    list.current?.querySelector<HTMLElement>(`[data-token="${String(current)}"]`)?.focus();
  }, [current]);

  const move = (event: KeyboardEvent): void => {
    const from = chosen.indexOf(current ?? -1);
    const to = { ArrowRight: from + 1, ArrowLeft: from - 1, Home: 0, End: chosen.length - 1 }[event.key];
    const next = to === undefined ? undefined : chosen[to];
    if (next === undefined) return;
    event.preventDefault();
    isMoved.current = true;
    setAt(next);
  };

  return (
    <>
      <div class="tokens" ref={list} role="group" aria-label="answer, token by token" onKeyDown={move}>
        {tokens.map(({ text, choice }, i) =>
          choice ? (
            <button
              key={i}
              type="button"
              class="token"
              data-token={i}
              tabIndex={i === current ? 0 : -1}
              aria-pressed={i === at}
              title={`${percent(choice.probability)} of the probability`}
              style={{ '--sure': String(choice.probability) }}
              onClick={() => setAt(i)}
            >
              {text}
            </button>
          ) : (
            <span key={i} class="forced">
              {text}
            </span>
          ),
        )}
        {isGoingOn && <span class="caret" aria-hidden="true" />}
      </div>
      {at !== undefined && tokens[at]?.choice && <Choice token={tokens[at]} />}
    </>
  );
}

function Choice({ token: { text, choice } }: { readonly token: Token }) {
  const { probability, options, nOptions = 0 } = choice!;
  return (
    <div class="choice" role="status">
      <p>
        <code>{text}</code> was written with {percent(probability)} of the probability
        {options ? `; ${String(nOptions)} tokens were allowed here:` : '; any word was allowed here.'}
      </p>
      {options && (
        <ul>
          {options.map((option) => (
            <li key={option.text}>
              <code>{option.text === '' ? '…' : option.text}</code>
              <meter min={0} max={1} value={option.probability} aria-label={`probability of ${option.text}`} />
              <span>{percent(option.probability)}</span>
            </li>
          ))}
        </ul>
      )}
      {options && nOptions > options.length && <p class="note">and {nOptions - options.length} less likely ones</p>}
    </div>
  );
}
