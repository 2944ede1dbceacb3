/** How a model is told a ratio. */
export interface RatioWords {
  /** What it calls each ratio it knows, by `width:height`. */
  readonly words: Readonly<Record<string, string>>;
  /** What it is told of any other: the nearest it knows, or its numbers. */
  readonly whenOther: 'nearest' | 'numbers';
  /** What it is told where any shape will do: the ratio it knows that is nearest to the photo's own, or nothing. */
  readonly whenFree: 'nearest' | 'none';
}

/** The ratio in the model's words; undefined where it is told none. */
export function ratioInWords(
  asked: string | undefined,
  photo: { readonly width: number; readonly height: number },
  { words, whenOther, whenFree }: RatioWords,
): string | undefined {
  if (asked === undefined)
    return whenFree === 'nearest' ? words[nearest(photo.width / photo.height, words)] : undefined;
  return words[asked] ?? (whenOther === 'nearest' ? words[nearest(ratioOf(asked), words)] : asked);
}

function nearest(ratio: number, words: RatioWords['words']): string {
  const off = (name: string): number => Math.abs(Math.log(ratioOf(name) / ratio));
  return Object.keys(words).reduce((best, name) => (off(name) < off(best) ? name : best));
}

function ratioOf(text: string): number {
  const [width, height] = text.split(':').map(Number);
  return width! / height!;
}
