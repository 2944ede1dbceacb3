import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { api, cropUrl, type PhotoAnswer, type PhotoSummary, type TargetKey } from '../api.js';
import { goTo, hrefTo } from '../route.js';
import { save } from '../save.js';
import { attempt, history, info, redo, run, undo } from '../store.js';
import { InstructField } from '../ui/InstructField.js';
import { COMMON_TARGETS, nameOf, normalised } from '../targets.js';
import { Candidates } from './Candidates.js';
import { sizeOf, straightSize, type Cut } from './cut.js';
import { Numbers } from './Numbers.js';
import type { Places } from './places.js';
import { degrees } from './Straighten.js';
import { GUIDES, view, type Guide } from './view.js';

interface PanelProps {
  readonly photo: PhotoSummary;
  readonly answer: PhotoAnswer;
  readonly target: TargetKey;
  readonly cut: Cut;
  readonly places: Signal<Places>;
  readonly straighten: ComponentChildren;
  readonly onEdit: (cut: Cut | null, by: 'picked' | 'hand') => void;
  readonly onStep: (by: number) => void;
}

/** Beside the photo: its shapes, what the engine proposed and why, how it is looked at, and saving. */
export function Panel({ photo, answer, target, cut, places, straighten, onEdit, onStep }: PanelProps) {
  const crop = photo.crops[target];
  const result = answer.results[target];
  const extent = straightSize(sizeOf(answer.size), cut.angleDeg);
  return (
    <aside class="panel">
      <div class="row">
        <button type="button" aria-label="previous photo" onClick={() => onStep(-1)}>
          ←
        </button>
        <h1 title={photo.name}>{photo.name}</h1>
        <button type="button" aria-label="next photo" onClick={() => onStep(1)}>
          →
        </button>
      </div>
      <Shapes photo={photo} target={target} />
      <p class="note">
        {answer.size.widthPx} × {answer.size.heightPx} px, {crop ? WHO[crop.by] : 'no crop yet'}
        {cut.angleDeg !== 0 && `, straightened by ${degrees(cut.angleDeg)}`}
        {crop?.isSaved && ', saved'} · <a href={hrefTo('think', photo.id)}>see it think</a>
        {photo.failure !== undefined && <span class="error"> {photo.failure}</span>}
      </p>
      <div class="row">
        <button type="button" class="main" disabled={!crop} onClick={() => void save([photo.id], [target])}>
          Save
        </button>
        {crop && (
          <a class="button" href={cropUrl(photo.id, target)} download={fileName(photo.name, target)}>
            Download
          </a>
        )}
        <button type="button" disabled={!history.value.undo} onClick={() => void undo()}>
          Undo
        </button>
        <button type="button" disabled={!history.value.redo} onClick={() => void redo()}>
          Redo
        </button>
      </div>
      <div class="row">
        {crop?.verdict === 'review' && crop.by === 'model' && (
          <button type="button" onClick={() => onEdit(cut, 'picked')}>
            It is right
          </button>
        )}
        {crop && crop.by !== 'model' && result && (
          <button type="button" onClick={() => onEdit(null, 'hand')}>
            Back to the {info.value?.model === undefined ? 'engine' : 'model'}’s
          </button>
        )}
        <button type="button" onClick={() => onEdit({ ...cut, box: [0, 0, extent.width, extent.height] }, 'hand')}>
          As large as it goes
        </button>
      </div>
      {straighten}
      <Engine photo={photo} target={target} places={places} hasResult={result !== undefined} />
      {result && <Candidates photo={photo} result={result} cut={cut} onPick={(picked) => onEdit(picked, 'picked')} />}
      <Looks answer={answer} />
      <Numbers box={cut.box} extent={extent} target={target} onEdit={(box) => onEdit({ ...cut, box }, 'hand')} />
    </aside>
  );
}

const WHO = { model: 'by the engine', picked: 'picked', hand: 'made by hand' } as const;

function fileName(name: string, target: TargetKey): string {
  const [base = 'crop'] = (name.split('/').at(-1) ?? '').split(/\.[^.]*$/);
  return `${base}-${target.replace(':', 'x')}`;
}

function Shapes({ photo, target }: { readonly photo: PhotoSummary; readonly target: TargetKey }) {
  const own = useSignal('');
  const all = [...new Set([...Object.keys(photo.crops), ...COMMON_TARGETS, target])];
  return (
    <nav class="shapes" aria-label="shapes">
      {all.map((each) => (
        <a
          key={each}
          class={each in photo.crops ? 'made' : ''}
          href={hrefTo('photo', photo.id, each)}
          aria-current={each === target ? 'true' : undefined}
        >
          {nameOf(each)}
        </a>
      ))}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const wanted = normalised(own.value);
          if (wanted !== undefined) goTo('photo', photo.id, wanted);
        }}
      >
        <input
          aria-label="another shape or size"
          placeholder="5:4"
          size={8}
          value={own.value}
          aria-invalid={own.value !== '' && normalised(own.value) === undefined}
          onInput={(event) => (own.value = event.currentTarget.value.trim())}
        />
      </form>
    </nav>
  );
}

interface EngineProps {
  readonly photo: PhotoSummary;
  readonly target: TargetKey;
  readonly places: Signal<Places>;
  readonly hasResult: boolean;
}

/** Asks the engine, with what was pointed at. */
function Engine({ photo, target, places, hasResult }: EngineProps) {
  const instruct = useSignal('');
  const { focus, keep, mode } = places.value;
  const crop = photo.crops[target];
  const ask = async (): Promise<void> => {
    const request = {
      photos: [photo.id],
      targets: [target],
      again: true,
      ...(focus && { focus: [...focus] as [number, number] }),
      ...(keep.length > 0 && {
        keep: keep.map(([x1, y1, x2, y2]) => ({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })),
      }),
      ...(instruct.value !== '' && { instruct: instruct.value }),
      // Turned by hand it is to be cropped as it is seen.
      ...(crop && crop.by !== 'model' && { straighten: crop.turn?.angleDeg ?? ('off' as const) }),
    };
    await attempt(() => api.run(request));
  };
  const setMode = (wanted: Places['mode']): void => {
    places.value = { ...places.value, mode: mode === wanted ? 'crop' : wanted };
  };
  return (
    <section aria-label="ask the engine">
      <div class="row">
        <button type="button" class={hasResult ? '' : 'main'} disabled={run.value.isRunning} onClick={() => void ask()}>
          {run.value.isRunning ? 'Cropping…' : hasResult ? 'Crop again' : 'Crop'}
        </button>
        <button type="button" aria-pressed={mode === 'focus'} onClick={() => setMode('focus')}>
          Focus
        </button>
        <button type="button" aria-pressed={mode === 'keep'} onClick={() => setMode('keep')}>
          Keep
        </button>
        {(focus ?? keep.length > 0) && (
          <button type="button" onClick={() => (places.value = { mode: 'crop', focus: undefined, keep: [] })}>
            Forget these
          </button>
        )}
      </div>
      {mode !== 'crop' && (
        <p class="note" role="status">
          {mode === 'focus' ? 'Click where the crop is to draw the eye.' : 'Draw a rectangle that no crop may cut.'}
        </p>
      )}
      <InstructField words={instruct} />
    </section>
  );
}

/** What is drawn over the photo. */
function Looks({ answer }: { readonly answer: PhotoAnswer }) {
  const kinds = [...new Map(answer.elements.map(({ kind, colour }) => [kind, colour]))];
  const { guide, isAfter, showsCandidates, hiddenKinds } = view.value;
  const toggleKind = (kind: string): void => {
    const hidden = new Set(hiddenKinds);
    if (!hidden.delete(kind)) hidden.add(kind);
    view.value = { ...view.value, hiddenKinds: hidden };
  };
  return (
    <section aria-label="how it is shown">
      <div class="row">
        <button
          type="button"
          aria-pressed={isAfter}
          onClick={() => (view.value = { ...view.value, isAfter: !isAfter })}
        >
          After
        </button>
        <button
          type="button"
          aria-pressed={showsCandidates}
          onClick={() => (view.value = { ...view.value, showsCandidates: !showsCandidates })}
        >
          All candidates
        </button>
        <label class="inline">
          Guides
          <select
            value={guide}
            onChange={(event) => (view.value = { ...view.value, guide: event.currentTarget.value as Guide })}
          >
            {GUIDES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      {kinds.length > 0 && (
        <div class="chips" role="group" aria-label="elements of the composition">
          {kinds.map(([kind, colour]) => (
            <button key={kind} type="button" aria-pressed={!hiddenKinds.has(kind)} onClick={() => toggleKind(kind)}>
              <span class="swatch" style={{ background: colour }} /> {kind.replaceAll('_', ' ')}
            </button>
          ))}
        </div>
      )}
    </section>
  );
}
