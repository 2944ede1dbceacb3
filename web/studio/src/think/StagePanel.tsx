import type { ComponentChildren } from 'preact';
import { Looks } from './Looks.js';
import { percent } from './percent.js';
import { BoxesOver, ElementsOver, Picture } from './Picture.js';
import type { Step } from './state.js';
import { Tokens } from './Tokens.js';
import type { ShownImage, StageTrace, ThoughtStage, Trace } from './trace.js';

/** What one way through the stages has come to at one of them. */
export function StagePanel({ trace, step }: { readonly trace: Trace; readonly step: Step }) {
  const { analyse, propose, decide } = trace.stages;
  const second = propose?.image ?? decide?.image;
  switch (step) {
    case 'photo':
      return analyse?.image || decide?.image ? (
        <Shown image={(analyse?.image ?? decide?.image)!} text="The photo as the model is shown it" />
      ) : (
        <NotYet trace={trace} />
      );
    case 'analysis':
      return (
        <Said stage="analyse" trace={trace} of={analyse}>
          {trace.drawn && analyse?.image && <Composition trace={trace} image={analyse.image} />}
        </Said>
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
        <Said stage="propose" trace={trace} of={propose}>
          {trace.boxes && second && (
            <Picture src={second.url} alt="The crops proposed, by number" size={photoOf(trace, second)}>
              {trace.result && <BoxesOver boxes={trace.boxes} size={trace.result.photo} />}
            </Picture>
          )}
        </Said>
      );
    case 'decision':
      return (
        <Said stage="decide" trace={trace} of={decide}>
          <Decision trace={trace} />
        </Said>
      );
    case 'crop':
      return <Crop trace={trace} />;
  }
}

function NotYet({ trace }: { readonly trace: Trace }) {
  return <p class="empty">{trace.result ? 'This stage is not taken by this engine.' : 'Not yet.'}</p>;
}

function Shown({ image, text }: { readonly image: ShownImage; readonly text: string }) {
  return (
    <figure>
      <Picture src={image.url} alt={text} size={image} />
      <figcaption>
        {text}: {image.widthPx} × {image.heightPx} pixels.
      </figcaption>
    </figure>
  );
}

/** What was asked, what is said, and what it came to. */
function Said({
  stage,
  trace,
  of,
  children,
}: {
  readonly stage: ThoughtStage;
  readonly trace: Trace;
  readonly of: StageTrace | undefined;
  readonly children?: ComponentChildren;
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
      {children}
      {of.attention && <Looks attention={of.attention} images={imagesOf(trace)} />}
    </>
  );
}

function imagesOf({ stages }: Trace): ShownImage[] {
  return [stages.analyse?.image, stages.propose?.image, stages.decide?.image].filter((image) => image !== undefined);
}

/** Boxes are in its pixels; the frame has its shape but for a rounding. */
function photoOf({ result }: Trace, image: ShownImage): { readonly widthPx: number; readonly heightPx: number } {
  return result?.photo ?? image;
}

function Composition({ trace, image }: { readonly trace: Trace; readonly image: ShownImage }) {
  const { elements } = trace.drawn!;
  return (
    <figure>
      <Picture src={image.url} alt="The composition found, drawn on the photo" size={photoOf(trace, image)}>
        <ElementsOver drawn={trace.drawn!} />
      </Picture>
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
  const { decision, boxes, result } = trace;
  const [image] = imagesOf(trace);
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
      {boxes && boxes.length > 1 && (
        <p class="note">
          Without a preference each of {boxes.length} would have {percent(1 / boxes.length)}.
        </p>
      )}
      {boxes && result && image && (
        <Picture src={image.url} alt="The candidates by number, the best one bright" size={result.photo}>
          <BoxesOver boxes={boxes} best={best} size={result.photo} />
        </Picture>
      )}
    </>
  );
}

function Crop({ trace }: { readonly trace: Trace }) {
  const { result } = trace;
  const image = trace.stages.analyse?.image ?? trace.stages.decide?.image;
  if (!result) return <NotYet trace={trace} />;
  const { crop, photo, why, verdict, confidence } = result;
  const box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height] as const;
  return (
    <figure>
      {image && (
        <Picture src={image.url} alt="The crop on the photo" size={photo}>
          <BoxesOver boxes={[box]} best={0} size={photo} />
        </Picture>
      )}
      <figcaption>
        {verdict === 'keep'
          ? 'The photo is best as it is'
          : `${String(crop.width)} × ${String(crop.height)} pixels at ${String(crop.x)}, ${String(crop.y)}`}
        : {why}.{confidence !== undefined && ` Confidence ${percent(confidence)}.`}
      </figcaption>
    </figure>
  );
}
