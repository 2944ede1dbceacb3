import type { Size } from '../../../../report/crop-box.js';
import { pictureUrl, type PhotoSummary } from '../api.js';
import { drawnFrom } from './cut.js';

interface TurnedPictureProps {
  readonly photo: PhotoSummary;
  readonly upright: Size;
  readonly angleDeg: number;
  readonly side?: 320 | 1600;
}

/** The photo in pixels of what it is once it is straightened. Its corners reach out of that: whoever draws it cuts them off. */
export function TurnedPicture({ photo, upright, angleDeg, side = 1600 }: TurnedPictureProps) {
  return (
    <image
      href={pictureUrl(photo, side)}
      {...upright}
      preserveAspectRatio="none"
      transform={drawnFrom(0, angleDeg, upright)}
    />
  );
}
