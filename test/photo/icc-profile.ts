/** CIE xy chromaticities of red, green and blue. */
type Primaries = readonly (readonly [x: number, y: number])[];
type Matrix = readonly (readonly number[])[];

/**
 * Colour spaces by their published definition: Adobe RGB (1998) section 4.3, ROMM RGB (ISO 22028-2). The white points
 * are D65 and D50.
 */
const SPACES = {
  'Adobe RGB': {
    primaries: [
      [0.64, 0.33],
      [0.21, 0.71],
      [0.15, 0.06],
    ],
    white: [0.3127, 0.329],
    gamma: 563 / 256,
  },
  'ProPhoto RGB': {
    primaries: [
      [0.7347, 0.2653],
      [0.1596, 0.8404],
      [0.0366, 0.0001],
    ],
    white: [0.3457, 0.3585],
    gamma: 1.8,
  },
} as const satisfies Record<string, { primaries: Primaries; white: readonly [number, number]; gamma: number }>;

/** XYZ of the profile connection space's white, ICC.1:2010 section 6.3.4.3. */
const D50 = [0.9642, 1, 0.8249] as const;
const BRADFORD = [
  [0.8951, 0.2664, -0.1614],
  [-0.7502, 1.7135, 0.0367],
  [0.0389, -0.0685, 1.0296],
] as const;

/** A version 2 matrix and gamma profile. */
export function iccProfile(name: keyof typeof SPACES): Buffer {
  const { primaries, white, gamma } = SPACES[name];
  const xyz = ([x, y]: readonly [number, number]): number[] => [x / y, 1, (1 - x - y) / y];
  const columns = transpose(primaries.map(xyz));
  const scale = apply(inverse(columns), xyz(white));
  const toXyz = columns.map((row) => row.map((value, i) => value * scale[i]!));
  const cones = apply(BRADFORD, xyz(white));
  const ratios = apply(BRADFORD, D50).map((value, i) => value / cones[i]!);
  const adapted = multiply(
    inverse(BRADFORD),
    BRADFORD.map((row, i) => row.map((value) => value * ratios[i]!)),
  );
  const [red, green, blue] = transpose(multiply(adapted, toXyz));

  const curve = Buffer.concat([
    Buffer.from('curv\0\0\0\0\0\0\0\x01', 'latin1'),
    u16(Math.round(gamma * 256)),
    Buffer.alloc(2),
  ]);
  const text = (type: string, body: Buffer): Buffer => Buffer.concat([Buffer.from(`${type}\0\0\0\0`, 'latin1'), body]);
  const tags: [string, Buffer][] = [
    ['desc', text('desc', Buffer.concat([u32(name.length + 1), Buffer.from(name), Buffer.alloc(1 + 78)]))],
    ['cprt', text('text', Buffer.from('none\0'))],
    ['wtpt', xyzTag(D50)],
    ['rXYZ', xyzTag(red!)],
    ['gXYZ', xyzTag(green!)],
    ['bXYZ', xyzTag(blue!)],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ];
  const bodies = tags.map(([, body]) => Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]));
  let at = 128 + 4 + 12 * tags.length;
  const table = tags.map(([signature, body], i) => {
    const entry = Buffer.concat([Buffer.from(signature), u32(at), u32(body.length)]);
    at += bodies[i]!.length;
    return entry;
  });
  const head = Buffer.alloc(128);
  head.writeUInt32BE(at, 0);
  head.writeUInt32BE(0x02100000, 8);
  head.write('mntrRGB XYZ ', 12);
  head.write('acsp', 36);
  xyzTag(D50).copy(head, 68, 8);
  return Buffer.concat([head, u32(tags.length), ...table, ...bodies]);
}

function xyzTag(values: readonly number[]): Buffer {
  const fixed = values.map((value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(Math.round(value * 65536));
    return bytes;
  });
  return Buffer.concat([Buffer.from('XYZ \0\0\0\0', 'latin1'), ...fixed]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 255]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function transpose(m: Matrix): number[][] {
  return [0, 1, 2].map((i) => m.map((row) => row[i]!));
}

function apply(m: Matrix, vector: readonly number[]): number[] {
  return m.map((row) => row.reduce((sum, value, i) => sum + value * vector[i]!, 0));
}

function multiply(a: Matrix, b: Matrix): number[][] {
  return transpose(transpose(b).map((column) => apply(a, column)));
}

/** By cofactors. */
function inverse(m: Matrix): number[][] {
  const at = (row: number, column: number): number => m[row % 3]![column % 3]!;
  const cofactor = (i: number, j: number): number =>
    at(i + 1, j + 1) * at(i + 2, j + 2) - at(i + 1, j + 2) * at(i + 2, j + 1);
  const determinant = [0, 1, 2].reduce((sum, j) => sum + at(0, j) * cofactor(0, j), 0);
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / determinant));
}
