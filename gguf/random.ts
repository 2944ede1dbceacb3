/**
 * A stream of 32-bit words: sfc32 (Chris Doty-Humphrey, PractRand), seeded from any text by FNV-1a. The bytes of every
 * toy model hang on it.
 */
export function seededWords(seed: string): () => number {
  let a = 0x9e37_79b9 | 0;
  let b = 0x243f_6a88;
  let c = fnv1a(seed);
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

function fnv1a(text: string): number {
  let hash = 0x811c_9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash | 0;
}

/** Fills with uniform values of the given mean and standard deviation: mean ± std·√3, 24 random bits each. */
export function fillUniform(out: Float32Array, next: () => number, mean: number, std: number): void {
  const halfWidth = std * Math.sqrt(3);
  const step = (2 * halfWidth) / 0x100_0000;
  for (let i = 0; i < out.length; i++) out[i] = mean - halfWidth + (next() >>> 8) * step;
}
