import { photos } from '../store.js';
import { examples } from './photos.js';

/** A list that is longer is no choice; any other photo is reached from its own page. */
const MOST_LISTED = 500;

/** One photo of the library or of the examples. */
export function PhotoSelect({
  id,
  onChoose,
}: {
  readonly id: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  const listed = photos.value.filter((photo, i) => i < MOST_LISTED || photo.id === id);
  const nLeftOut = photos.value.length - listed.length;
  return (
    <label>
      Photo{' '}
      <select value={id ?? ''} onChange={(event) => onChoose(event.currentTarget.value)}>
        {id === undefined && <option value="">choose one</option>}
        <optgroup label="Library">
          {listed.map((photo) => (
            <option key={photo.id} value={photo.id}>
              {photo.name}
            </option>
          ))}
          {nLeftOut > 0 && <option disabled>and {nLeftOut} more, each from its page in the library</option>}
        </optgroup>
        <optgroup label="Examples">
          {examples.value.map((photo) => (
            <option key={photo.id} value={photo.id}>
              {photo.name}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}
