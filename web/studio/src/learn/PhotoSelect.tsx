import { photos } from '../store.js';
import { examples } from './photos.js';

/** One photo of the library or of the examples. */
export function PhotoSelect({
  id,
  onChoose,
}: {
  readonly id: string | undefined;
  readonly onChoose: (id: string) => void;
}) {
  return (
    <label>
      Photo{' '}
      <select value={id ?? ''} onChange={(event) => onChoose(event.currentTarget.value)}>
        {id === undefined && <option value="">choose one</option>}
        <optgroup label="Library">
          {photos.value.map((photo) => (
            <option key={photo.id} value={photo.id}>
              {photo.name}
            </option>
          ))}
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
