import type { ComponentChildren } from 'preact';
import { BoxesOver, ElementsOver, Picture } from '../think/Picture.js';
import type { Answer } from './answers.js';
import { nameOfPhoto, pictureOf } from './photos.js';

/** A photo with an engine's crop on it, and the composition it saw. */
export function CropOver({
  id,
  answer,
  side,
  kind,
  showsCrop = true,
  children,
}: {
  readonly id: string;
  readonly answer: Answer;
  readonly side: 320 | 800;
  /** Only elements of this kind are drawn. Default: all. */
  readonly kind?: string | undefined;
  readonly showsCrop?: boolean;
  readonly children?: ComponentChildren;
}) {
  if (answer === 'waiting') return <p class="empty">…</p>;
  if ('problem' in answer) return <p class="failure">{answer.problem}</p>;
  const { result, elements, drawing } = answer;
  const { crop, photo } = result;
  const box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height] as const;
  const shown = kind === undefined ? elements : elements.filter((element) => element.kind === kind);
  const src = pictureOf(id, side);
  return (
    <figure>
      {src && (
        <Picture src={src} alt={nameOfPhoto(id)} size={photo}>
          {showsCrop && <BoxesOver boxes={[box]} best={0} size={photo} isNumbered={false} />}
          {shown.length > 0 && <ElementsOver drawn={{ drawing, elements: shown }} />}
        </Picture>
      )}
      <figcaption>{children}</figcaption>
    </figure>
  );
}
