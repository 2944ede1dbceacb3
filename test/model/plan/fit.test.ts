import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writeToyPair } from '../../../gguf/index.js';
import { CATALOG, findInCatalog } from '../../../src/model/catalog.js';
import { DEFAULT_USE } from '../../../src/model/manifest.js';
import { planMemory, usableBytes, type MemoryPlan, type PlanWishes } from '../../../src/model/plan/fit.js';
import { availableHostBytes } from '../../../src/model/plan/limits.js';
import { predictMemory, totalBytes } from '../../../src/model/plan/predict.js';
import { estimatePairShape, readPairShape, type PairShape } from '../../../src/model/plan/shape.js';

const folder = mkdtempSync(path.join(tmpdir(), 'framewright-fit-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const GB = 1e9;
const WISHES: PlanWishes = { use: DEFAULT_USE, parallel: 1, nSeqMax: 64, hostFormats: [] };

function shapeOf(name: string): PairShape {
  const { entry, variant } = findInCatalog(CATALOG, name)!;
  return estimatePairShape(entry.sizes!, variant!);
}

describe('a 7B in Q4_K_M', () => {
  const shape = shapeOf('qwen2.5-vl-7b');
  const planFor = (gpuBytes: number | undefined, hostBytes = 32 * GB, wishes: Partial<PlanWishes> = {}): MemoryPlan =>
    planMemory(shape, { ...WISHES, ...wishes }, { gpuBytes, hostBytes });

  test('goes onto a large GPU whole, and nothing is given up', () => {
    const { fits, settings, givenUp } = planFor(24 * GB);
    expect({ fits, givenUp }).toEqual({ fits: true, givenUp: [] });
    expect(settings).toMatchObject({
      gpuLayers: 29,
      projectorOnGpu: true,
      kvType: 'f16',
      nCtx: 8192,
      imageTokens: 1280,
    });
  });

  test('stays within every limit, and gives up more the less there is', () => {
    let before = 29;
    for (const gpuBytes of [12, 8, 6.5, 6, 5, 4, 3, 2, 1, 0.5].map((n) => n * GB)) {
      const { fits, settings, prediction } = planFor(gpuBytes);
      expect(fits).toBe(true);
      expect(totalBytes(prediction.gpu)).toBeLessThanOrEqual(usableBytes({ gpuBytes, hostBytes: 0 }).gpu);
      if (settings.projectorOnGpu || settings.gpuLayers === 0) {
        expect(settings.gpuLayers).toBeLessThanOrEqual(before);
        before = settings.gpuLayers;
      }
      expect(settings.imageTokens).toBe(1280);
    }
    expect(before).toBe(0);
  });

  test('gives up the size of batches first, then the cache’s precision, then layers, then the vision tower’s place', () => {
    expect(planFor(6.8 * GB)).toMatchObject({ settings: { gpuLayers: 29, kvType: 'f16', nBatch: 1280 } });
    expect(planFor(6.6 * GB)).toMatchObject({ settings: { gpuLayers: 29, kvType: 'q8_0', nBatch: 1280 } });
    expect(planFor(5.5 * GB)).toMatchObject({ settings: { projectorOnGpu: true, kvType: 'q8_0' } });
    const small = planFor(2.5 * GB);
    expect(small.settings.projectorOnGpu).toBe(false);
    expect(small.settings.gpuLayers).toBeGreaterThan(0);
    expect(small.givenUp.join()).toMatch(
      /batches of 1280.*KV cache of q8_0.*layers on the CPU.*vision tower on the CPU/,
    );
  });

  test('on the CPU alone keeps the faster attention as long as there is room, and shrinks the picture last', () => {
    const alone = { flashAttention: false };
    expect(planFor(undefined, 16 * GB)).toMatchObject({ settings: { gpuLayers: 0, kvType: 'f16' }, givenUp: [] });
    expect(planFor(undefined, 8.5 * GB).settings).toMatchObject({ nBatch: 1280, kvType: 'f16' });
    expect(planFor(undefined, 7.5 * GB).settings).toMatchObject({ kvType: 'q8_0', flashAttention: true });
    const shrunk = [6.9, 6.5].map((gb) => planFor(undefined, gb * GB).givenUp.join('; '));
    expect(shrunk[0]).toMatch(/pictures of at most 1024 tokens, not 1280: fewer details/);
    expect(shrunk[1]).toMatch(/pictures of at most 704 tokens, not 1280: below 1024, boxes are placed worse/);
    expect(planFor(undefined, 5 * GB).fits).toBe(false);
    expect(planFor(undefined, 7.5 * GB, alone).settings).toMatchObject({ kvType: 'f16', flashAttention: false });
  });

  test('finds whatever fits at full picture, also where the host is the smaller one', () => {
    const work = new Map<string, Record<'gpu' | 'host', number>>();
    const all = [true, false].flatMap((projectorOnGpu) =>
      Array.from({ length: 30 }, (_, gpuLayers) => {
        const { settings } = planFor(24 * GB);
        const thrifty = { ...settings, nBatch: 1280, kvType: 'q8_0', projectorOnGpu, gpuLayers } as const;
        return predictMemory(shape, thrifty, [], work);
      }),
    );
    const nFitting: number[] = [];
    for (const gpuGB of [1.5, 3, 5, 5.5]) {
      for (const hostGB of [1.5, 2, 3, 4, 5]) {
        const limits = { gpuBytes: gpuGB * GB, hostBytes: hostGB * GB };
        const usable = usableBytes(limits);
        const fitting = all.filter(({ gpu, host }) => totalBytes(gpu) <= usable.gpu && totalBytes(host) <= usable.host);
        nFitting.push(fitting.length);
        const { fits, settings } = planFor(limits.gpuBytes, limits.hostBytes);
        const { nCtx, imageTokens } = settings;
        expect([gpuGB, hostGB, fits && nCtx === 8192 && imageTokens === 1280]).toEqual([
          gpuGB,
          hostGB,
          fitting.length > 0,
        ]);
      }
    }
    expect(nFitting.filter((n) => n > 0).length).toBeGreaterThan(5);
    expect(nFitting).toContain(0);
    expect(planFor(5 * GB, 3 * GB).settings).toMatchObject({ projectorOnGpu: true, gpuLayers: 18 });
  });

  test('what the caller settled stays settled', () => {
    const wishes = { gpuLayers: 10, projectorOnGpu: false, kvType: 'f32' } as const;
    expect(planFor(24 * GB, 32 * GB, wishes).settings).toMatchObject(wishes);
    expect(planFor(1 * GB, 32 * GB, wishes)).toMatchObject({ fits: false, settings: wishes });
  });
});

test('a cache whose heads no block divides keeps its precision, and layers go to the CPU instead', () => {
  const shape = shapeOf('qwen3-vl-8b');
  const odd = { ...shape, text: { ...shape.text, headSize: 80 } };
  const planFor = (of: PairShape): MemoryPlan => planMemory(of, WISHES, { gpuBytes: 6.5 * GB, hostBytes: 32 * GB });
  expect(planFor(shape).settings.kvType).toBe('q8_0');
  const { fits, settings } = planFor(odd);
  expect({ fits, kvType: settings.kvType }).toEqual({ fits: true, kvType: 'f16' });
  expect(settings.gpuLayers).toBeLessThan(37);
});

test.each([
  { family: 'qwen2vl', preset: '7b', type: 'F16', name: 'qwen2.5-vl-7b:F16' },
  { family: 'qwen3vl', preset: '8b', type: 'Q8_0', name: 'qwen3-vl-8b:Q8_0' },
  { family: 'qwen3vlmoe', preset: '30b', type: 'F16', name: 'qwen3-vl-30b-a3b:F16' },
  { family: 'qwen3vl', preset: '4b', type: 'Q8_0', name: 'qwen3-vl-4b:Q8_0' },
  { family: 'qwen3vl', preset: '2b', type: 'Q8_0', name: 'qwen3-vl-2b:Q8_0' },
  { family: 'qwen35', preset: '9b', type: 'Q8_0', name: 'qwen3.5-9b:Q8_0' },
  { family: 'qwen35', preset: '0.8b', type: 'Q8_0', name: 'qwen3.5-0.8b:Q8_0' },
] as const)('what the catalogue says of $name is within 5 % of a file’s header', async ({ name, ...toy }) => {
  const { textPath, mmprojPath } = await writeToyPair(path.join(folder, toy.preset), { ...toy, sparse: true });
  const limits = { gpuBytes: 80 * GB, hostBytes: 32 * GB };
  const real = planMemory(await readPairShape(textPath, mmprojPath), WISHES, limits);
  const estimated = planMemory(shapeOf(name), WISHES, limits);
  expect(estimated.settings).toEqual(real.settings);
  for (const place of ['gpu', 'host'] as const) {
    const ratio = totalBytes(estimated.prediction[place]) / totalBytes(real.prediction[place]);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.05);
  }
});

describe('memory that is free', () => {
  const root = (name: string, files: Record<string, string>): string => {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(folder, name, file)), { recursive: true });
      writeFileSync(path.join(folder, name, file), text);
    }
    return path.join(folder, name);
  };
  const meminfo = { 'proc/meminfo': 'MemTotal: 16000000 kB\nMemFree: 100 kB\nMemAvailable:    8000000 kB\n' };

  test('is what Linux calls available', () => {
    expect(availableHostBytes(root('plain', meminfo))).toBe(8_000_000 * 1024);
  });

  test('in a container is what its limit leaves, cached files not counted as used', () => {
    const cgroup = {
      'sys/fs/cgroup/memory.max': '4000000000\n',
      'sys/fs/cgroup/memory.current': '3900000000\n',
      'sys/fs/cgroup/memory.stat': 'anon 900000000\ninactive_file 2500000000\nactive_file 500000000\n',
    };
    expect(availableHostBytes(root('v2', { ...meminfo, ...cgroup }))).toBe(3_100_000_000);
    const v1 = {
      'sys/fs/cgroup/memory/memory.limit_in_bytes': '2000000000\n',
      'sys/fs/cgroup/memory/memory.usage_in_bytes': '1500000000\n',
      'sys/fs/cgroup/memory/memory.stat': 'total_inactive_file 100\ntotal_active_file 200\n',
    };
    expect(availableHostBytes(root('v1', { ...meminfo, ...v1 }))).toBe(500_000_300);
  });

  test('without a limit is the machine’s', () => {
    expect(availableHostBytes(root('max', { ...meminfo, 'sys/fs/cgroup/memory.max': 'max\n' }))).toBe(8_000_000 * 1024);
  });
});
