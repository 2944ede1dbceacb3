import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from 'node:events';
import type { Size } from '../../src/base/geometry.js';
import type { Element } from '../../src/base/schema.js';
import type { ConversationRecord } from '../../src/train/record.js';

export interface ViewToWrite {
  readonly source: string;
  readonly frame: Size;
  /** As the model sees it: with position ramps. */
  readonly photo: Uint8Array;
  readonly enhanced?: Uint8Array;
  readonly maps: Uint8Array;
  /** Natural log-probability of each grid box. */
  readonly boxScores?: ArrayLike<number>;
  /** Of the frame. */
  readonly elements: readonly Element[];
  readonly conversation?: ConversationRecord & { readonly kind: string };
}

export interface ShardWriter {
  write(view: ViewToWrite): Promise<void>;
  close(meta: object): Promise<void>;
}

/**
 * A folder for training/nano/shards.py: `frames.u8` and `maps.u8` (bytes, addressed by offset), `scores.f32` (a row of
 * little-endian floats a view), `views.jsonl` (a line a view) and `meta.json`.
 */
export async function openShard(folder: string): Promise<ShardWriter> {
  await mkdir(folder, { recursive: true });
  const files = ['frames.u8', 'maps.u8', 'scores.f32', 'views.jsonl'].map((name) =>
    createWriteStream(join(folder, name)),
  );
  const [frames, maps, scores, lines] = files as [WriteStream, WriteStream, WriteStream, WriteStream];
  const written = { frames: 0, maps: 0, rows: 0 };

  return {
    async write({ source, frame, photo, enhanced, maps: planes, boxScores, elements, conversation }) {
      const line: Record<string, unknown> = { source, ...frame, photo: written.frames, maps: written.maps, elements };
      written.frames += photo.length;
      await put(frames, photo);
      if (enhanced) {
        line.enhanced = written.frames;
        written.frames += enhanced.length;
        await put(frames, enhanced);
      }
      written.maps += planes.length;
      await put(maps, planes);
      if (boxScores) {
        line.scores = written.rows++;
        await put(scores, new Uint8Array(Float32Array.from(boxScores).buffer));
      }
      if (conversation) {
        line.conversation = {
          kind: conversation.kind,
          tokens: conversation.tokens,
          nLabels: conversation.nLabels,
          labels: conversation.labels.map(({ at, decision }) => [
            at,
            'token' in decision ? decision.token : Object.fromEntries(decision.probabilities),
          ]),
        };
      }
      await put(lines, `${JSON.stringify(line)}\n`);
    },
    async close(meta) {
      await Promise.all(
        files.map(async (file) => {
          file.end();
          await once(file, 'finish');
        }),
      );
      await writeFile(join(folder, 'meta.json'), JSON.stringify(meta));
    },
  };
}

async function put(stream: WriteStream, data: Uint8Array | string): Promise<void> {
  if (!stream.write(data)) await once(stream, 'drain');
}
