import { expect, test } from 'vitest';
import type { Session } from '../../../src/runtime/session/session.js';
import { seededRandom } from '../../../src/base/random.js';
import { someImage, useToy, wholeVocabulary } from '../toy.js';
import { greatestDifference, NATS_APART } from '../../support/reproducibility.js';

const TOYS = {
  qwen2vl: useToy(),
  qwen3vl: useToy({ family: 'qwen3vl' }),
  qwen3vlmoe: useToy({ family: 'qwen3vlmoe' }),
  qwen35: useToy({ family: 'qwen35' }),
};

/** What a session should hold: tokens, or -1 for the image. */
type Expected = readonly number[];
const IMAGE = -1;

interface Player {
  session: Session;
  expected: Expected;
}

const CASES = (['qwen2vl', 'qwen3vl', 'qwen3vlmoe', 'qwen35'] as const).flatMap((family) =>
  [1, 2, 3].map((seed) => ({ family, seed })),
);

test.each(CASES)(
  'sessions of a $family hold what random calls put into them, aborted and failed ones aside (seed $seed)',
  async ({ family, seed }) => {
    const random = seededRandom(seed);
    const below = (n: number): number => Math.floor(random() * n);
    const { model } = TOYS[family]();
    const choices = wholeVocabulary(model);
    const size = { width: 3 * model.cellPx, height: 2 * model.cellPx };
    const image = await model.encodeImage(someImage(size.width, size.height), size);
    const options = { nSeqMax: 12, nBatch: 24, flashAttention: false, kvType: 'f32' } as const;
    await using context = await model.createContext({ nCtx: 400, ...options });
    await using quiet = await model.createContext({ nCtx: 400, ...options });
    const tokens = (): Int32Array => Int32Array.from({ length: 1 + below(30) }, () => below(200));
    let players: Player[] = [{ session: context.session(), expected: [] }];

    /** One call; the outcome is told by what the session holds afterwards. */
    async function play(player: Player): Promise<void> {
      const { session } = player;
      const controller = new AbortController();
      const { signal } = controller;
      if (below(4) === 0) setTimeout(() => controller.abort(new Error('stop')), below(3));
      switch (below(7)) {
        case 0:
        case 1: {
          const added = tokens();
          await session.append(added, { signal, choices });
          player.expected = [...player.expected, ...added];
          break;
        }
        case 2:
          await session.appendImage(image, { signal });
          player.expected = [...player.expected, IMAGE];
          break;
        case 3: {
          const grammar = 'root ::= [a-z]{1,20}';
          const result = await session.generate({
            maxTokens: 1 + below(8),
            temperature: 1,
            seed: below(99),
            grammar,
            signal,
          });
          player.expected = [...player.expected, ...result.tokens];
          break;
        }
        case 4:
          await session.score([tokens(), tokens(), tokens()], { signal });
          break;
        case 5: {
          const before = player.expected;
          const mark = session.mark();
          const added = tokens();
          // Neither is waited for before the other is called.
          const appended = session.append(added, { signal }).catch(() => undefined);
          const back = session.rollback(mark);
          await Promise.all([appended, back]);
          player.expected = before;
          break;
        }
        default:
          players.push({ session: await session.fork(), expected: player.expected });
      }
    }

    for (let round = 0; round < 25; round++) {
      const errors = await Promise.all(
        players.map(async (player) =>
          play(player).then(
            () => undefined,
            (error: unknown) => error,
          ),
        ),
      );
      for (const error of errors)
        if (error instanceof Error) expect(error.message).toMatch(/stop|has no next token|are free|every sequence/);
      // Make room.
      while (players.length > 6 || players.reduce((sum, { session }) => sum + session.nTokens, 0) > 500) {
        const [gone] = players.splice(below(players.length), 1);
        await gone!.session.dispose();
        if (players.length === 0) players = [{ session: context.session(), expected: [] }];
      }
    }

    for (const { session, expected } of players) {
      await using fresh = quiet.session();
      let run: number[] = [];
      for (const each of [...expected, undefined]) {
        if (each !== undefined && each !== IMAGE) run.push(each);
        else if (run.length > 0) await fresh.append(Int32Array.from(run.splice(0)));
        if (each === IMAGE) await fresh.appendImage(image);
      }
      expect([session.nTokens, session.nPos]).toEqual([fresh.nTokens, fresh.nPos]);
      run = [65];
      const { logProbs } = await session.append(Int32Array.from(run), { choices });
      const { logProbs: same } = await fresh.append(Int32Array.from(run), { choices });
      expect(greatestDifference(logProbs, same)).toBeLessThan(NATS_APART.unquantisedCache);
    }
  },
);
