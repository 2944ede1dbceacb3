import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { api, type TargetKey } from '../api.js';
import { save } from '../save.js';
import { attempt, history, info, photosById, redo, tell, undo } from '../store.js';
import { InstructField } from '../ui/InstructField.js';
import { COMMON_TARGETS, nameOf, normalised } from '../targets.js';
import { chosen, selection, shown, shownTarget } from './view.js';

/** What is done with the photos selected, or with all that are shown. */
export function Actions() {
  const dialog = useRef<HTMLDialogElement>(null);
  const nSelected = selection.value.size;
  const which = nSelected > 0 ? `${nSelected} selected` : `all ${shown.value.length}`;
  const nCropped = chosen.value.filter((id) => photosById.value.get(id)?.state !== 'new').length;
  return (
    <div class="actions">
      <button
        type="button"
        class="main"
        disabled={chosen.value.length === 0}
        onClick={() => dialog.current?.showModal()}
      >
        Crop {which}…
      </button>
      <button type="button" disabled={nCropped === 0} onClick={() => void save(chosen.value)}>
        Save {which}
      </button>
      <button type="button" disabled={!history.value.undo} onClick={() => void undo()}>
        Undo
      </button>
      <button type="button" disabled={!history.value.redo} onClick={() => void redo()}>
        Redo
      </button>
      {nSelected > 0 && (
        <button type="button" onClick={() => (selection.value = new Set())}>
          Select none
        </button>
      )}
      <a class="button" href="/studio/api/choices.jsonl" download>
        Choices
      </a>
      <dialog ref={dialog} aria-labelledby="crop-title">
        <CropForm which={which} close={() => dialog.current?.close()} />
      </dialog>
    </div>
  );
}

/** What the crops are to be. */
function CropForm({ which, close }: { readonly which: string; readonly close: () => void }) {
  const picked = useSignal<ReadonlySet<TargetKey>>(new Set(['4:5']));
  const own = useSignal('');
  const preset = useSignal('');
  const instruct = useSignal('');
  const again = useSignal(false);
  const isAuto = info.value?.straighten === 'auto';
  const straightens = useSignal(isAuto);
  const ownTarget = normalised(own.value);
  const isOwnRight = own.value === '' || ownTarget !== undefined;
  const asked = [...picked.value, preset.value, ownTarget ?? ''].filter((target) => target !== '');

  const start = async (): Promise<void> => {
    const request = {
      photos: [...chosen.value],
      targets: asked,
      again: again.value || instruct.value !== '',
      ...(instruct.value === '' ? {} : { instruct: instruct.value }),
      ...(straightens.value === isAuto ? {} : { straighten: straightens.value ? ('auto' as const) : ('off' as const) }),
    };
    close();
    const progress = await attempt(() => api.run(request));
    if (!progress) return;
    shownTarget.value = asked[0];
    if (!progress.isRunning) tell('All of these have such a crop already.');
  };
  const toggleTarget = (target: TargetKey): void => {
    const next = new Set(picked.value);
    if (!next.delete(target)) next.add(target);
    picked.value = next;
  };
  return (
    <form
      method="dialog"
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <h2 id="crop-title">Crop {which}</h2>
      <fieldset>
        <legend>Shapes</legend>
        {COMMON_TARGETS.map((target) => (
          <label key={target} class="check">
            <input type="checkbox" checked={picked.value.has(target)} onChange={() => toggleTarget(target)} />
            {nameOf(target)}
          </label>
        ))}
      </fieldset>
      <label>
        Where it goes
        <select value={preset.value} onChange={(event) => (preset.value = event.currentTarget.value)}>
          <option value="">–</option>
          {info.value?.presets.map(({ name, size }) => (
            <option key={name} value={size}>
              {name} ({nameOf(size)})
            </option>
          ))}
        </select>
      </label>
      <label>
        Another shape or size
        <input
          value={own.value}
          placeholder="5:4 or 1200x900"
          aria-invalid={!isOwnRight}
          onInput={(event) => (own.value = event.currentTarget.value.trim())}
        />
      </label>
      <InstructField words={instruct} />
      <label class="check">
        <input
          type="checkbox"
          checked={straightens.value}
          onChange={(event) => (straightens.value = event.currentTarget.checked)}
        />
        turn photos upright that are surely tilted
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={again.value}
          onChange={(event) => (again.value = event.currentTarget.checked)}
        />
        also those that have such a crop (crops made by hand stay)
      </label>
      <div class="buttons">
        <button type="button" onClick={close}>
          Cancel
        </button>
        <button type="submit" class="main" disabled={asked.length === 0 || !isOwnRight}>
          Crop
        </button>
      </div>
    </form>
  );
}
