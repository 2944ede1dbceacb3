import { useRef } from 'preact/hooks';
import { api, type PhotoSummary } from '../api.js';
import { soon } from '../changes.js';
import { attempt, tell } from '../store.js';
import { isSameCut, type Cut } from './cut.js';

interface StraightenProps {
  readonly photo: PhotoSummary;
  readonly cut: Cut;
  readonly turnedTo: (from: Cut, angleDeg: number) => Cut;
  /** While the hand moves. */
  readonly onDraft: (cut: Cut) => void;
  /** Once it has let go. */
  readonly onEdit: (cut: Cut) => void;
  /** A grid helps while it is being turned. */
  readonly onHeld: (isHeld: boolean) => void;
}

/** As far as the product turns (src/crop/straighten-wish.ts). */
const MOST_DEG = 45;
const STEP_DEG = 0.1;

/** Steps that follow each other within this are one change. */
const STEPS_MS = 500;

/** The photo turned by hand, or as its own edges say. */
export function Straighten({ photo, cut, turnedTo, onDraft, onEdit, onHeld }: StraightenProps) {
  /** Of one turn after another all begin at the first, so that back and forth is where it was. */
  const turning = useRef<{ readonly from: Cut; readonly made: Cut } | undefined>(undefined);
  const turnTo = (wanted: number): Cut => {
    const angleDeg = Math.round(100 * Math.max(-MOST_DEG, Math.min(MOST_DEG, wanted))) / 100;
    const from = turning.current && isSameCut(turning.current.made, cut) ? turning.current.from : cut;
    const made = turnedTo(from, angleDeg);
    turning.current = { from, made };
    return made;
  };
  const draft = (wanted: number): void => {
    if (Number.isFinite(wanted)) onDraft(turnTo(wanted));
  };
  const keep = (wanted: number): void => {
    if (!Number.isFinite(wanted)) return;
    const made = turnTo(wanted);
    onDraft(made);
    soon(() => onEdit(made), STEPS_MS);
  };
  const auto = async (): Promise<void> => {
    const found = await attempt(() => api.tilt(photo.id));
    if (!found) return;
    const { tilt } = found;
    if (!tilt?.isSure) {
      const most = tilt && ` ${WHAT_SHOWS[tilt.from]} would say ${degrees(tilt.angleDeg)}, ${percent(tilt)} sure.`;
      tell(`Nothing in this photo surely says which way is up.${most ?? ''}`);
      return;
    }
    tell(`${WHAT_SHOWS[tilt.from]} says ${degrees(tilt.angleDeg)}, ${percent(tilt)} sure.`);
    const made = turnTo(tilt.angleDeg);
    if (!isSameCut(made, cut)) onEdit(made);
  };
  const { angleDeg } = cut;
  return (
    <section class="straighten" aria-label="straighten">
      <label>
        Straighten
        <input
          type="range"
          min={-MOST_DEG}
          max={MOST_DEG}
          step={STEP_DEG}
          value={angleDeg}
          aria-valuetext={degrees(angleDeg)}
          onInput={(event) => draft(event.currentTarget.valueAsNumber)}
          onChange={(event) => keep(event.currentTarget.valueAsNumber)}
          onFocus={() => onHeld(true)}
          onBlur={() => onHeld(false)}
        />
      </label>
      <div class="row">
        <input
          type="number"
          aria-label="degrees clockwise"
          min={-MOST_DEG}
          max={MOST_DEG}
          step="any"
          value={angleDeg}
          onChange={(event) => keep(event.currentTarget.valueAsNumber)}
          onFocus={() => onHeld(true)}
          onBlur={() => onHeld(false)}
        />
        <button type="button" onClick={() => void auto()}>
          Auto
        </button>
        <button type="button" disabled={angleDeg === 0} onClick={() => onEdit(turnTo(0))}>
          As it was
        </button>
      </div>
    </section>
  );
}

const WHAT_SHOWS = { horizon: 'The horizon', verticals: 'What stands upright' } as const;

function percent({ confidence }: { readonly confidence: number }): string {
  return `${Math.round(100 * confidence)} %`;
}

export function degrees(angleDeg: number): string {
  return `${String(angleDeg).replace('-', '−')}°`;
}
