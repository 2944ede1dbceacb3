import type { PhotoAnswer, PhotoSummary } from '../api.js';
import { angleOf, isSameCut, sizeOf, type Cut } from './cut.js';
import { TurnedPicture } from './TurnedPicture.js';

interface CandidatesProps {
  readonly photo: PhotoSummary;
  readonly result: PhotoAnswer['results'][string];
  /** The crop that stands. */
  readonly cut: Cut;
  readonly onPick: (cut: Cut) => void;
}

/** What the engine proposed, side by side, each with its score and its reason. Keys 1 to 9 pick them too. */
export function Candidates({ photo, result, cut, onPick }: CandidatesProps) {
  const angleDeg = angleOf(result);
  const upright = sizeOf(result.straighten?.photo ?? result.photo);
  return (
    <section class="candidates" aria-label="candidates">
      {result.candidates.map((candidate, i) => {
        const [x1, y1, x2, y2] = candidate.box;
        const own = { box: candidate.box, angleDeg };
        return (
          <button key={i} type="button" aria-pressed={isSameCut(own, cut)} onClick={() => onPick(own)}>
            <svg viewBox={`${x1} ${y1} ${x2 - x1} ${y2 - y1}`} aria-hidden="true">
              <TurnedPicture photo={photo} upright={upright} angleDeg={angleDeg} side={320} />
            </svg>
            <span>
              <b>{i + 1}</b> {result.confidence !== undefined && `${(100 * candidate.modelScore).toFixed(0)} %`}
              {i === result.best && <em> best</em>}
            </span>
            <small>{candidate.why}</small>
          </button>
        );
      })}
    </section>
  );
}
