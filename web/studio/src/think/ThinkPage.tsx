import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { goTo, hrefTo } from '../route.js';
import { PhotoSelect } from '../learn/PhotoSelect.js';
import { loadExamples, nameOfPhoto, pictureOf } from '../learn/photos.js';
import { info, photos } from '../store.js';
import { FREE } from '../targets.js';
import { ShapeSelect } from '../ui/ShapeSelect.js';
import { StagePanel } from './StagePanel.js';
import { choose, clear, end, failure, isThinking, step, STEPS, think, traces, waiting, type Step } from './state.js';
import type { Condition } from './trace.js';
import './think.css';

const target = signal(FREE);
const besides = signal(false);
const looks = signal(false);

const STEP_TEXTS: Readonly<Record<Step, string>> = {
  photo: 'Photo',
  analysis: 'Analysis',
  enhanced: 'Enhanced picture',
  proposal: 'Proposal',
  decision: 'Decision',
  crop: 'Crop',
};

/** One photo, and what the model does about it, while it does. */
export function ThinkPage({ id }: { readonly id: string | undefined }) {
  useEffect(() => void loadExamples(), []);
  useEffect(() => clear, [id]);
  const shown = (['enhanced', 'plain'] as const).filter((condition) => traces.value[condition]);
  return (
    <main class="think">
      <h1>See it think</h1>
      <p class="lead">
        A photo goes through the stages of CROP: the composition is named, drawn on the photo, crops are proposed on
        that picture, and one is decided for. Each stage shows what the model was shown, asked, and says, token by
        token.
      </p>
      <Asking id={id} />
      {failure.value !== undefined && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
      <Steps />
      <div
        id="stage"
        role="tabpanel"
        aria-labelledby={`step-${step.value}`}
        class={`stages of-${String(shown.length)}`}
      >
        {shown.map((condition) => (
          <section key={condition} aria-label={headingOf(condition)}>
            <h2>{headingOf(condition)}</h2>
            <StagePanel
              trace={traces.value[condition]!}
              step={step.value}
              photoUrl={id === undefined ? undefined : pictureOf(id, 800)}
            />
          </section>
        ))}
        {shown.length === 0 && (
          <p class="empty">{isThinking.value ? waitingText() : 'Choose a photo and let it think.'}</p>
        )}
      </div>
    </main>
  );
}

const CONDITION_TEXTS: Readonly<Record<Condition, string>> = {
  enhanced: 'With the composition drawn on it',
  plain: 'Without visual enhancement',
};

function headingOf(condition: Condition): string {
  const { model, engine = '' } = info.value ?? {};
  return model === undefined ? `By the engine ${engine}` : CONDITION_TEXTS[condition];
}

function waitingText(): string {
  return waiting.value > 0 ? `${String(waiting.value)} before it in the queue…` : 'The photo is being read…';
}

function Asking({ id }: { readonly id: string | undefined }) {
  const ask = (event: Event): void => {
    event.preventDefault();
    if (id === undefined) return;
    void think({
      photo: id,
      aspect: target.value === FREE ? undefined : target.value,
      conditions: besides.value ? ['enhanced', 'plain'] : ['enhanced'],
      attention: looks.value,
    });
  };
  return (
    <form class="asking" onSubmit={ask}>
      <PhotoSelect id={id} onChoose={(chosen) => goTo('think', chosen)} />
      <ShapeSelect target={target} />
      <label class="check">
        <input type="checkbox" checked={besides.value} onChange={() => (besides.value = !besides.value)} />
        beside it without enhancement
      </label>
      <label class="check">
        <input type="checkbox" checked={looks.value} onChange={() => (looks.value = !looks.value)} />
        also where it looks (takes as long again for each stage)
      </label>
      {isThinking.value ? (
        <button type="button" onClick={end}>
          Stop
        </button>
      ) : (
        <button type="submit" class="main" disabled={id === undefined}>
          Think
        </button>
      )}
      {id !== undefined && photos.value.some((photo) => photo.id === id) && (
        <a href={hrefTo('photo', id)}>{nameOfPhoto(id)} in the library</a>
      )}
      {info.value && info.value.model === undefined && (
        <p class="note">The engine {info.value.engine} has no model: it is shown no picture and asked nothing.</p>
      )}
    </form>
  );
}

function Steps() {
  const move = (event: KeyboardEvent): void => {
    const at = STEPS.indexOf(step.value);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: STEPS.length - 1 }[event.key];
    const next = to === undefined ? undefined : STEPS[to];
    if (next === undefined) return;
    event.preventDefault();
    choose(next);
    document.getElementById(`step-${next}`)?.focus();
  };
  return (
    <div class="steps" role="tablist" aria-label="stages" onKeyDown={move}>
      {STEPS.map((each, i) => (
        <button
          key={each}
          id={`step-${each}`}
          type="button"
          role="tab"
          aria-selected={step.value === each}
          aria-controls="stage"
          tabIndex={step.value === each ? 0 : -1}
          onClick={() => choose(each)}
        >
          <span class="number">{i + 1}</span> {STEP_TEXTS[each]}
        </button>
      ))}
    </div>
  );
}
