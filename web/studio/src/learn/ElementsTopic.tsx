import { signal } from '@preact/signals';
import { goTo } from '../route.js';
import { info } from '../store.js';
import { answerOf, type EngineName } from './answers.js';
import { CropOver } from './CropOver.js';
import { ELEMENTS, type ElementText } from './elements.js';
import { PhotoSelect } from './PhotoSelect.js';
import { examples, nameOfPhoto } from './photos.js';

const engine = signal<EngineName>('rules');
const kind = signal('rule_of_thirds');

/** The ten elements: what each is, how it is found, where it is, and which crop it leads to. */
export function ElementsTopic({ photo }: { readonly photo: string | undefined }) {
  const ids = [...new Set([...(photo === undefined ? [] : [photo]), ...examples.value.map(({ id }) => id)])];
  const chosen = ELEMENTS.find((element) => element.kind === kind.value)!;
  return (
    <>
      <p class="lead">
        A crop is reasoned from ten elements of composition, the classes of CADB less radial, pattern and filling the
        frame. Both the model and the rules name them; what they name, and where, is theirs and may be wrong.
      </p>
      <form class="asking" onSubmit={(event) => event.preventDefault()}>
        <label>
          Found by{' '}
          <select value={engine.value} onChange={(event) => (engine.value = event.currentTarget.value as EngineName)}>
            <option value="rules">rules</option>
            {info.value?.engine === 'vlm' && <option value="vlm">the model {info.value.model}</option>}
          </select>
        </label>
        <PhotoSelect id={photo} onChoose={(id) => goTo('learn', 'elements', id)} />
      </form>
      <div class="kinds" role="group" aria-label="elements">
        {ELEMENTS.map(({ kind: each, name }) => (
          <button key={each} type="button" aria-pressed={kind.value === each} onClick={() => (kind.value = each)}>
            {name} <span class="count">{countOf(each, ids)}</span>
          </button>
        ))}
      </div>
      <Explained element={chosen} />
      <Found element={chosen} ids={ids} />
    </>
  );
}

/** In how many of the photos it was found, as far as they have been looked at. */
function countOf(wanted: string, ids: readonly string[]): number {
  return ids.filter((id) => hasKind(id, wanted)).length;
}

function hasKind(id: string, wanted: string): boolean {
  const answer = answerOf(engine.value, id, undefined);
  return answer !== 'waiting' && 'elements' in answer && answer.elements.some((element) => element.kind === wanted);
}

function Explained({ element: { name, is, rules, said, numbers } }: { readonly element: ElementText }) {
  return (
    <section class="explained" aria-label={name}>
      <h2>{name}</h2>
      <p>{is}</p>
      <dl>
        <dt>Rules</dt>
        <dd>{rules}</dd>
        <dt>Model</dt>
        <dd>
          Names it in its analysis: <code>{said}</code>, {numbers}. The bundled nano learnt to on drawn scenes, whose
          composition is known exactly, and on photographs labelled by the rules; other models are trained on CADB’s
          labels (<code>framewright train export cadb</code>).
        </dd>
      </dl>
    </section>
  );
}

function Found({ element, ids }: { readonly element: ElementText; readonly ids: readonly string[] }) {
  const answers = ids.map((id) => ({ id, answer: answerOf(engine.value, id, undefined) }));
  const nLooked = answers.filter(({ answer }) => answer !== 'waiting').length;
  const found = answers.filter(({ id }) => hasKind(id, element.kind));
  const broken = answers.flatMap(({ id, answer }) =>
    answer !== 'waiting' && 'problem' in answer ? [`${nameOfPhoto(id)}: ${answer.problem}`] : [],
  );
  return (
    <>
      {broken.map((text) => (
        <p key={text} class="failure">
          {text}
        </p>
      ))}
      <p class="note" role="status">
        {nLooked} of {ids.length} photos looked at; found in {found.length || 'none'} of them.
        {found.length === 0 && nLooked === ids.length && ' Choose one of yours, or let the other look.'}
      </p>
      <div class="cards">
        {found.map(({ id, answer }) => (
          <CropOver key={id} id={id} answer={answer} side={800} kind={element.kind}>
            {nameOfPhoto(id)}: {answer !== 'waiting' && 'result' in answer && answer.result.why}
          </CropOver>
        ))}
      </div>
    </>
  );
}
