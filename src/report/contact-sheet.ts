import path from 'node:path';
import type { Size } from '../base/geometry.js';
import type { Photo } from '../photo/decode.js';
import type { OutputFormat } from '../photo/output-format.js';
import { decoding } from '../photo/failure.js';
import { ASCENT, canWrite, DESCENT, textSvg, textWidth } from '../photo/overlay/glyphs.js';
import { overlaySvg } from '../photo/overlay/overlay.js';
import { displayed } from '../photo/render.js';
import { sharp } from '../photo/vips.js';
import type { CropResult } from '../base/schema.js';

/** Cells are square; together they are about this wide and four thirds as wide as high. */
const SHEET_WIDTH_PX = 6000;
const LARGEST_CELL_PX = 480;
const SHEET_ASPECT = 4 / 3;
/** Below this a name would be too small to read. */
const LEAST_NAMED_CELL_PX = 120;
const NAME_UNIT_PX = 1.1;
const NAME_COLOUR = '#a3a9b1';
const BACKGROUND = [0x17, 0x19, 0x1c] as const;
const QUALITY = 88;

interface Layout {
  readonly columns: number;
  readonly cellPx: number;
  readonly gapPx: number;
  /** Height of the line with the name, 0 without. */
  readonly namePx: number;
}

/** One picture of a run: each photo small, dark outside its crop. Its memory is that of the sheet, however many photos. */
export class ContactSheet {
  readonly #layout: Layout;
  readonly #size: Size;
  readonly #rgb: Buffer;
  #nAdded = 0;

  /** @param nCells crops that will be added, at most. */
  constructor(nCells: number) {
    this.#layout = layoutFor(nCells);
    this.#size = sheetSize(this.#layout, nCells);
    this.#rgb = Buffer.alloc(3 * this.#size.width * this.#size.height);
    for (let at = 0; at < this.#rgb.length; at += 3) this.#rgb.set(BACKGROUND, at);
  }

  get nAdded(): number {
    return this.#nAdded;
  }

  async add(name: string, photo: Photo, result: CropResult, signal?: AbortSignal): Promise<void> {
    const { columns, cellPx, gapPx, namePx } = this.#layout;
    const index = this.#nAdded++;
    const left = gapPx + (index % columns) * (cellPx + gapPx);
    const top = gapPx + Math.floor(index / columns) * (cellPx + namePx + gapPx);
    const tile = await makeTile(photo, result, cellPx, signal);
    const tileTop = top + ((cellPx - tile.height) >> 1);
    this.#paste(tile.rgb, tile, left + ((cellPx - tile.width) >> 1), tileTop);
    if (namePx === 0) return;
    const strip = { width: cellPx, height: namePx };
    this.#paste(await makeName(name, index + 1, strip), strip, left, tileTop + tile.height);
  }

  /** The rows in use as an image file. */
  async render(format: OutputFormat): Promise<Buffer> {
    const { width, height } = sheetSize(this.#layout, this.#nAdded);
    const used = this.#rgb.subarray(0, 3 * this.#size.width * height);
    const image = sharp(used, { raw: { width: this.#size.width, height, channels: 3 } });
    const fewer = width < this.#size.width ? image.extract({ left: 0, top: 0, width, height }) : image;
    return fewer.toFormat(format, { quality: QUALITY }).toBuffer();
  }

  #paste(rgb: Buffer, { width, height }: Size, left: number, top: number): void {
    for (let y = 0; y < height; y++) {
      rgb.copy(this.#rgb, 3 * ((top + y) * this.#size.width + left), 3 * y * width, 3 * (y + 1) * width);
    }
  }
}

function layoutFor(nCells: number): Layout {
  const columns = Math.max(1, Math.ceil(Math.sqrt(nCells * SHEET_ASPECT)));
  const pitchPx = SHEET_WIDTH_PX / columns;
  const cellPx = Math.max(4, Math.min(LARGEST_CELL_PX, Math.floor(pitchPx * 0.95)));
  const isNamed = cellPx >= LEAST_NAMED_CELL_PX;
  return {
    columns: Math.min(columns, nCells),
    cellPx,
    gapPx: Math.max(1, Math.round(cellPx * 0.05)),
    namePx: isNamed ? Math.ceil((ASCENT + DESCENT + 8) * NAME_UNIT_PX) : 0,
  };
}

function sheetSize({ columns, cellPx, gapPx, namePx }: Layout, nCells: number): Size {
  const rows = Math.ceil(nCells / columns);
  return {
    width: gapPx + Math.min(columns, nCells) * (cellPx + gapPx),
    height: gapPx + rows * (cellPx + namePx + gapPx),
  };
}

async function makeTile(
  photo: Photo,
  { crop, verdict }: CropResult,
  cellPx: number,
  signal: AbortSignal | undefined,
): Promise<Size & { rgb: Buffer }> {
  const scale = cellPx / Math.max(photo.width, photo.height);
  const size: Size = {
    width: Math.max(1, Math.round(photo.width * scale)),
    height: Math.max(1, Math.round(photo.height * scale)),
  };
  let pipeline = displayed(photo, size).resize(size.width, size.height, { fit: 'fill' });
  if (verdict === 'crop') {
    const box = [crop.x, crop.y, crop.x + crop.width, crop.y + crop.height] as const;
    const drawing = { space: { width: photo.width, height: photo.height }, elements: [], best: { box } };
    pipeline = pipeline.composite([
      { input: Buffer.from(overlaySvg(drawing, size, { labels: false })), left: 0, top: 0 },
    ]);
  }
  const raw = pipeline.removeAlpha().raw({ depth: 'uchar' });
  return { ...size, rgb: await decoding(photo.name, () => raw.toBuffer(), signal) };
}

/** The file's name, in the middle, or its number where the font lacks a letter of it. */
async function makeName(file: string, number: number, { width, height }: Size): Promise<Buffer> {
  const stem = path.parse(file).name.toLowerCase();
  const text = shortened(stem !== '' && canWrite(stem) ? stem : String(number), (width - 4) / NAME_UNIT_PX);
  const x = (width - textWidth(text) * NAME_UNIT_PX) / 2;
  const words = textSvg(text, x, (ASCENT + 5) * NAME_UNIT_PX, NAME_UNIT_PX, NAME_COLOUR);
  const [r, g, b] = BACKGROUND;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${words}</svg>`;
  return sharp(Buffer.from(svg)).flatten({ background: { r, g, b } }).raw({ depth: 'uchar' }).toBuffer();
}

/** Cut in the middle, since a series differs at the end of its names. */
function shortened(text: string, most: number): string {
  for (let cut = 0; ; cut++) {
    const kept = text.length - cut;
    const short =
      cut === 0 ? text : `${text.slice(0, Math.ceil(kept / 2))}..${text.slice(text.length - Math.floor(kept / 2))}`;
    if (textWidth(short) <= most || kept <= 2) return short;
  }
}
