import { pictureUrl, type PhotoAnswer, type PhotoSummary } from '../api.js';
import type { Box } from '../../../../report/crop-box.js';

interface CandidatesProps {
  readonly photo: PhotoSummary;
  readonly result: PhotoAnswer['results'][string];
  /** The crop that stands. */
  readonly box: Box;
  readonly onPick: (box: Box) => void;
}

/** What the engine proposed, side by side, each with its score and its reason. Keys 1 to 9 pick them too. */
export function Candidates({ photo, result, box, onPick }: CandidatesProps) {
  const { widthPx, heightPx } = result.photo;
  return (
    <section class="candidates" aria-label="candidates">
      {result.candidates.map((candidate, i) => {
        const [x1, y1, x2, y2] = candidate.box;
        const isStanding = candidate.box.every((edge, e) => edge === box[e]);
        return (
          <button key={i} type="button" aria-pressed={isStanding} onClick={() => onPick(candidate.box)}>
            <svg viewBox={`${x1} ${y1} ${x2 - x1} ${y2 - y1}`} aria-hidden="true">
              <image href={pictureUrl(photo, 320)} width={widthPx} height={heightPx} preserveAspectRatio="none" />
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
