import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { api, type CropSummary, type PhotoAnswer } from '../api.js';
import { inOrder } from '../changes.js';
import { shown } from '../library/view.js';
import { goTo, hrefTo } from '../route.js';
import { save } from '../save.js';
import { attempt, photosById, redo, run, take, undo } from '../store.js';
import { aspectOfTarget, FREE, normalised } from '../targets.js';
import { Editor } from './Editor.js';
import { Panel } from './Panel.js';
import { largest } from '../../../../report/crop-box.js';
import { angleOf, cutOf, sizeOf, turned, type Cut } from './cut.js';
import { usePlaces } from './places.js';
import { Straighten } from './Straighten.js';
import { view } from './view.js';

/** One photo with its crop in the hand. */
export function PhotoPage({ id, target: asked }: { readonly id: string; readonly target: string | undefined }) {
  const photo = photosById.value.get(id);
  const answer = useSignal<PhotoAnswer | undefined>(undefined);
  /** While it is being dragged or turned, before the server has it. */
  const draft = useSignal<Cut | undefined>(undefined);
  const isStraightening = useSignal(false);
  const places = usePlaces(id);
  const target = (asked === undefined ? undefined : normalised(asked)) ?? Object.keys(photo?.crops ?? {})[0] ?? FREE;
  const crop = photo?.crops[target];

  // Anew whenever the engine has made something: its results are not in the summary.
  const made = JSON.stringify(
    Object.entries(photo?.crops ?? {}).map(([key, each]) => [key, each.confidence, each.verdict]),
  );
  useEffect(() => {
    let isOver = false;
    void attempt(() => api.photo(id)).then((found) => {
      if (found && !isOver) answer.value = found;
    });
    return () => (isOver = true);
  }, [id, made, run.value.isRunning]);
  useEffect(() => {
    draft.value = undefined;
  }, [id, target, crop?.box.join(), crop?.turn?.angleDeg]);
  useEffect(() => {
    document.title = `${photo?.name ?? 'Photo'} – Framewright studio`;
  }, [photo?.name]);

  const edit = async (cut: Cut | null, by: 'picked' | 'hand'): Promise<void> => {
    if (cut) draft.value = cut;
    const request = cut
      ? { target, box: [...cut.box] as CropSummary['box'], straighten: cut.angleDeg, by }
      : { target, box: null };
    const changed = await attempt(() => inOrder(() => api.edit(id, request)));
    if (changed) take([changed]);
    else draft.value = undefined;
  };
  const step = (by: number): void => {
    const all = shown.peek();
    const at = all.findIndex((each) => each.id === id);
    const next = all[(at + by + all.length) % all.length];
    if (next) goTo('photo', next.id, target);
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if ((event.target as Element).closest('input, select, textarea, dialog')) return;
      const withCtrl = event.ctrlKey || event.metaKey;
      if (withCtrl && event.key.toLowerCase() === 'z') void (event.shiftKey ? redo() : undo());
      else if (withCtrl && event.key.toLowerCase() === 'y') void redo();
      else if (withCtrl && event.key.toLowerCase() === 's') void save([id], [target]);
      else if (withCtrl || event.altKey) return;
      else if (event.key === '[' || event.key === 'p') step(-1);
      else if (event.key === ']' || event.key === 'n') step(1);
      else if (event.key === 'b') view.value = { ...view.value, isAfter: !view.value.isAfter };
      else if (event.key === 'Escape') goTo();
      else if (/^[1-9]$/.test(event.key)) {
        const result = answer.peek()?.results[target];
        const candidate = result?.candidates[Number(event.key) - 1];
        if (candidate) void edit({ box: candidate.box, angleDeg: angleOf(result) }, 'picked');
      } else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [id, target]);

  const known = answer.value?.photo.id === id ? answer.value : undefined;
  if (!photo || !known) {
    return (
      <main class="plain">
        <h1>{photo?.name ?? 'Photo'}</h1>
        <p>
          {photosById.value.size > 0 && !photo ? 'This photo is no longer in the folder. ' : 'One moment… '}
          <a href={hrefTo()}>To the library</a>
        </p>
      </main>
    );
  }
  const aspect = aspectOfTarget(target);
  const upright = sizeOf(known.size);
  const cut: Cut = draft.value ??
    (crop && cutOf(crop)) ?? { box: largest({ photo: upright, ...(aspect && { aspect }) }), angleDeg: 0 };
  const { angleDeg } = cut;
  return (
    <main class="photo">
      <Editor
        photo={photo}
        answer={known}
        target={target}
        cut={cut}
        isStraightening={isStraightening.value}
        isMade={crop !== undefined || draft.value !== undefined}
        places={places}
        onDraft={(box) => (draft.value = { box, angleDeg })}
        onEdit={(box) => void edit({ box, angleDeg }, 'hand')}
      />
      <Panel
        photo={photo}
        answer={known}
        target={target}
        cut={cut}
        places={places}
        straighten={
          <Straighten
            photo={photo}
            cut={cut}
            turnedTo={(from, to) => turned(from, to, upright, aspect)}
            onDraft={(next) => (draft.value = next)}
            onEdit={(next) => void edit(next, 'hand')}
            onHeld={(isHeld) => (isStraightening.value = isHeld)}
          />
        }
        onEdit={(next, by) => void edit(next, by)}
        onStep={step}
      />
    </main>
  );
}
