import { outputFormatOf } from '../../photo/output-format.js';

/** What a browser is told that an object is; undefined for what is no picture we write. */
export function mediaTypeOf(place: string): string | undefined {
  const format = outputFormatOf(place);
  return format && `image/${format}`;
}
