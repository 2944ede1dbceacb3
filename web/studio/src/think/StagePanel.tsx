import { info } from '../store.js';
import { Looks } from './Looks.js';
import { percent } from './percent.js';
import { BoxesOver, ElementsOver, Picture } from './Picture.js';
import type { Step } from './state.js';
import { Tokens } from './Tokens.js';
import type { ShownImage, StageTrace, ThinkEvents, ThoughtStage, Trace } from './trace.js';

/**
 * What one way through the stages has come to at one of them.
 *
 * @param photoUrl of the photo itself: what a model is shown may have marks in it
 */
export function StagePanel({
  trace,
  step,
  photoUrl,
}: {
  readonly trace: Trace;
  readonly step: Step;
  readonly photoUrl: string | undefined;
}) {
  const { analyse, propose, decide } = trace.stages;
  const first = analyse?.image ?? decide?.image;
  const second = propose?.image ?? decide?.image;
  const picture = photoUrl ?? first?.url;
  switch (step) {
    case 'photo':
      return first ? <Shown image={first} text="The photo as the model is shown it" /> : <NotYet trace={trace} />;
    case 'analysis':
      return (
        <>
          <Said stage="analyse" trace={trace} of={analyse} />
          {trace.drawn && <Composition drawn={trace.drawn} url={picture} />}
          <LookedAt trace={trace} of={analyse} />
        </>
      );
    case 'enhanced':
      return second ? (
        <Shown
          image={second}
          text={
            second.isEnhanced
              ? 'The composition drawn on the photo, which the model is shown next'
              : 'Without enhancement the model is shown the photo once more'
          }
        />
      ) : (
        <NotYet trace={trace} />
      );
    case 'proposal':
      return (
        <>
          <Said stage="propose" trace={trace} of={propose} />
          <Candidates trace={trace} url={picture} />
          <LookedAt trace={trace} of={propose} />
        </>
      );
    case 'decision':
      return (
        <>
          <Said stage="decide" trace={trace} of={decide} />
          <Decision trace={trace} />
          {trace.decision && <Candidates trace={trace} url={picture} best={trace.decision.best} />}
          <LookedAt trace={trace} of={decide} />
        </>
      );
    case 'crop':
      return <Crop trace={trace} url={picture} />;
  }
}

function NotYet({ trace }: { readonly trace: Trace }) {
  return <p class="empty">{trace.result ? 'The engine is shown and asked nothing here.' : 'Not yet.'}</p>;
}

function Shown({ image, text }: { readonly image: ShownImage; readonly text: string }) {
  return (
    <figure>
      <Picture src={image.url} alt={text} size={image} />
      <figcaption>
        {text}: {image.widthPx} × {image.heightPx} pixels.
        {info.value?.marksPositions &&
          ' The dark lines are ramps put into every picture, by which this model tells places.'}
      </figcaption>
    </figure>
  );
}

function LookedAt({ trace, of }: { readonly trace: Trace; readonly of: StageTrace | undefined }) {
  return of?.attention ? <Looks attention={of.attention} images={imagesOf(trace)} /> : null;
}

/** By number. */
function Candidates({
  trace: { candidates, result },
  url,
  best,
}: {
  readonly trace: Trace;
  readonly url: string | undefined;
  readonly best?: number;
}) {
  const { photo } = candidates ?? {};
  const size = result?.photo ?? (photo && { widthPx: photo.width, heightPx: photo.height });
  if (!candidates || !size || url === undefined) return null;
  return (
    <figure>
      <Picture src={url} alt="The candidates by number" size={size}>
        <BoxesOver boxes={candidates.boxes} best={best} size={size} />
      </Picture>
    </figure>
  );
}

/** What was asked and what is said. */
function Said({
  stage,
  trace,
  of,
}: {
  readonly stage: ThoughtStage;
  readonly trace: Trace;
  readonly of: StageTrace | undefined;
}) {
  if (!of) return <NotYet trace={trace} />;
  return (
    <>
      <h3>Asked</h3>
      <pre class="prompt" tabIndex={0} aria-label="prompt">
        {of.prompt.trim()}
      </pre>
      <h3>Said</h3>
      <Tokens tokens={of.tokens} isGoingOn={trace.at === stage} />
      <p class="note">Bold is what the model chose, bluer the surer it was; the rest is the form of the answer.</p>
    </>
  );
}

function imagesOf({ stages }: Trace): ShownImage[] {
  return [stages.analyse?.image, stages.propose?.image, stages.decide?.image].filter((image) => image !== undefined);
}

function Composition({ drawn, url }: { readonly drawn: ThinkEvents['elements']; readonly url: string | undefined }) {
  const { elements, drawing } = drawn;
  const size = { widthPx: drawing.width, heightPx: drawing.height };
  return (
    <figure>
      {url !== undefined && (
        <Picture src={url} alt="The composition found, drawn on the photo" size={size}>
          <ElementsOver drawn={drawn} />
        </Picture>
      )}
      <figcaption>
        {elements.length === 0 ? 'No element of composition was found.' : 'Found: '}
        {elements.map(({ kind, colour }, i) => (
          <span key={i} class="kind">
            <span class="swatch" style={{ background: colour }} aria-hidden="true" /> {kind.replaceAll('_', ' ')}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

function Decision({ trace }: { readonly trace: Trace }) {
  const { decision, candidates, result } = trace;
  if (!decision) return null;
  const { best, probabilities } = decision;
  return (
    <>
      <h3>Probability of each candidate</h3>
      <ol class="bars" aria-label="probabilities of the candidates">
        {probabilities.map((probability, i) => (
          <li key={i} class={i === best ? 'best' : undefined}>
            <span class="which">
              {i + 1}
              {i === best ? ', the best' : ''}
            </span>
            <meter min={0} max={1} value={probability} aria-label={`candidate ${String(i + 1)}`} />
            <span>{percent(probability)}</span>
            <span class="why">{result?.candidates[i]?.why ?? ''}</span>
          </li>
        ))}
      </ol>
      {candidates && candidates.boxes.length > 1 && (
        <p class="note">
          Without a preference each of {candidates.boxes.length} would have {percent(1 / candidates.boxes.length)}.
        </p>
      )}
    </>
  );
}

function Crop({ trace, url }: { readonly trace: Trace; readonly url: string | undefined }) {
  const { result } = trace;
  if (!result) return <NotYet trace={trace} />;
  const { crop, photo, why, verdict, confidence } = result;
  const box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height] as const;
  return (
    <figure>
      {url !== undefined && (
        <Picture src={url} alt="The crop on the photo" size={photo}>
          <BoxesOver boxes={[box]} best={0} size={photo} />
        </Picture>
      )}
      <figcaption>
        {verdict === 'keep'
          ? 'The photo is best as it is'
          : `${String(crop.width)} × ${String(crop.height)} pixels at ${String(crop.x)}, ${String(crop.y)}`}
        : {why.replace(/\.$/, '')}.{confidence !== undefined && ` Confidence ${percent(confidence)}.`}
      </figcaption>
    </figure>
  );
}
