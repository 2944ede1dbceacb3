import { signal } from '@preact/signals';
import { goTo } from '../route.js';
import { FREE } from '../targets.js';
import { ShapeSelect } from '../ui/ShapeSelect.js';
import { info } from '../store.js';
import { percent } from '../think/percent.js';
import { answerOf, type Answer, type EngineName } from './answers.js';
import { CropOver } from './CropOver.js';
import { PhotoSelect } from './PhotoSelect.js';
import { examples } from './photos.js';

const target = signal(FREE);

const ENGINES: readonly { readonly name: EngineName; readonly title: string; readonly text: string }[] = [
  {
    name: 'vlm',
    title: 'Reasoning (CROP)',
    text: 'A vision-language model names the composition, sees it drawn on the photo, proposes crops and decides for one.',
  },
  {
    name: 'rules',
    title: 'Hand-crafted rules',
    text: 'Lines, symmetry and a subject are measured; boxes on a grid are weighed by a small scorer that was fitted on people’s crops.',
  },
  {
    name: 'saliency',
    title: 'Saliency',
    text: 'smartcrop.js: the window in which edges, skin colour and saturation are densest, wherever they are in the composition.',
  },
  {
    name: 'retrieval',
    title: 'Retrieval',
    text: 'The model’s vision tower finds photos that look alike in an index of crops that were chosen by eye; how those were cropped is carried over to this one.',
  },
  {
    name: 'centre',
    title: 'Centre',
    text: 'The middle nine tenths of each side: the floor that others are compared with.',
  },
  { name: 'full', title: 'No crop', text: 'The photo as it is, or the largest middle part of it that has the ratio.' },
];

/** The same photo by every engine there is. */
export function EnginesTopic({ photo }: { readonly photo: string | undefined }) {
  const id = photo ?? examples.value[0]?.id;
  const aspect = target.value === FREE ? undefined : target.value;
  const hasModel = info.value?.engine === 'vlm';
  return (
    <>
      <p class="lead">
        Automatic cropping has been tried by rules, by saliency and by examples before it was made a matter of
        reasoning. Here is one photo by each engine this program has.
      </p>
      <form class="asking" onSubmit={(event) => event.preventDefault()}>
        <PhotoSelect id={id} onChoose={(chosen) => goTo('learn', 'engines', chosen)} />
        <ShapeSelect target={target} />
      </form>
      {id !== undefined && (
        <div class="cards">
          {ENGINES.map(({ name, title, text }) => (
            <section key={name} aria-label={title} data-engine={name}>
              <h2>{title}</h2>
              <p class="note">{text}</p>
              {name === 'vlm' && !hasModel ? (
                <p class="note">The studio was started with another engine; without --engine it has a model.</p>
              ) : (
                <Card id={id} answer={answerOf(name, id, aspect)} />
              )}
            </section>
          ))}
        </div>
      )}
    </>
  );
}

function Card({ id, answer }: { readonly id: string; readonly answer: Answer }) {
  const result = answer !== 'waiting' && 'result' in answer ? answer.result : undefined;
  const share = result && (result.crop.width * result.crop.height) / (result.photo.widthPx * result.photo.heightPx);
  return (
    <CropOver id={id} answer={answer} side={800}>
      {result &&
        `${String(result.crop.width)} × ${String(result.crop.height)}, ${percent(share!)} of the photo: ${result.why}`}
    </CropOver>
  );
}
