import { isFrameHeader, jpegSegments, JPEG_MARKER } from './formats/jpeg-segments.js';

/** How a JPEG was encoded, as far as an encoder can be told to do the same. */
interface JpegEncoding {
  /** 1..100 as libjpeg counts; undefined where the tables cannot be read. */
  readonly quality: number | undefined;
  readonly chromaSubsampling: '4:2:0' | '4:4:4';
}

/** The tables of ITU-T T.81 annex K that libjpeg's quality scales, in zigzag order as a DQT segment has them. */
// prettier-ignore
const STANDARD_TABLES: readonly (readonly number[])[] = [
  [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61, 60,
    57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113, 121, 112,
    100, 120, 92, 101, 103, 99,
  ],
  [
    17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99,
  ],
];

/**
 * The quality at which libjpeg's own tables come nearest to those in the file, and its chroma sampling. Tables made by
 * libjpeg are met exactly; a camera's own ones on average over their 64 values.
 *
 * Only full chroma and a quarter of it can be encoded; what lies between (4:2:2 of many cameras) gets full chroma.
 */
export function sourceJpegEncoding(jpeg: Uint8Array): JpegEncoding {
  const segments = jpegSegments(jpeg);
  const tables: (number[] | undefined)[] = [];
  for (const { marker, payload } of segments) if (marker === JPEG_MARKER.dqt) readTables(payload, tables);
  const frame = segments.find(({ marker }) => isFrameHeader(marker))?.payload;
  return { quality: qualityOf(tables), chromaSubsampling: frame && isQuartered(frame) ? '4:2:0' : '4:4:4' };
}

function readTables(payload: Uint8Array, tables: (number[] | undefined)[]): void {
  let at = 0;
  while (at < payload.length) {
    const bytes = payload[at]! >> 4 === 0 ? 1 : 2;
    const id = payload[at]! & 15;
    at++;
    if (id > 3 || at + 64 * bytes > payload.length) return;
    tables[id] = Array.from({ length: 64 }, (_, i) =>
      bytes === 1 ? payload[at + i]! : (payload[at + 2 * i]! << 8) | payload[at + 2 * i + 1]!,
    );
    at += 64 * bytes;
  }
}

function qualityOf(tables: readonly (readonly number[] | undefined)[]): number | undefined {
  const given = [0, 1].flatMap((id) => (tables[id] ? [{ table: tables[id], standard: STANDARD_TABLES[id]! }] : []));
  if (given.length === 0) return undefined;
  let best = { quality: 0, cost: Infinity };
  for (let quality = 1; quality <= 100; quality++) {
    let cost = 0;
    for (const { table, standard } of given) {
      for (let i = 0; i < 64; i++) cost += Math.abs(Math.log(scaled(standard[i]!, quality) / Math.max(1, table[i]!)));
    }
    if (cost <= best.cost) best = { quality, cost };
  }
  return best.quality;
}

/** jpeg_quality_scaling and jpeg_add_quant_table of libjpeg's jcparam.c, for baseline files. */
function scaled(value: number, quality: number): number {
  const percent = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return Math.max(1, Math.min(255, Math.floor((value * percent + 50) / 100)));
}

/** Whether the second component has half the first one's samples on both axes or fewer. */
function isQuartered(frame: Uint8Array): boolean {
  const nComponents = frame[5] ?? 0;
  if (nComponents < 3 || frame.length < 6 + 3 * 2) return false;
  const [luma, chroma] = [frame[7]!, frame[10]!];
  return luma >> 4 >= 2 * (chroma >> 4) && (luma & 15) >= 2 * (chroma & 15);
}
