import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { judgeCodes, judgeOf } from '../../../src/studio/study/judges.js';
import { JudgementLog, type Judgement } from '../../../src/studio/study/judgement-log.js';
import { rejection } from '../../photo/thrown.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'framewright-judgements-'));
  file = path.join(folder, 's.judgements.jsonl');
});
afterEach(() => rmSync(folder, { recursive: true }));

const judgement = (judge: number, pair: string, answer: Judgement['answer']): Judgement => ({
  judge,
  pair,
  answer,
  left: 'ours',
  tookMs: 1234,
  at: '2026-01-02T03:04:05.000Z',
});

test('a judge that judges a pair twice counts once, by the last word', async () => {
  await using log = await JudgementLog.open(file);
  for (const answer of ['left', 'tie', 'right'] as const) await log.note(judgement(0, 'p', answer));
  await log.note(judgement(1, 'p', 'left'));
  expect(log.judgements.map(({ judge, answer }) => [judge, answer])).toEqual([
    [0, 'right'],
    [1, 'left'],
  ]);
  expect(log.of(0, 'p')?.answer).toBe('right');
});

test('judgements, and the codes, are those of before when the study is opened again; a torn line is left out', async () => {
  let secret: string;
  {
    await using log = await JudgementLog.open(file);
    await log.note(judgement(0, 'p', 'left'));
    secret = log.secret;
  }
  appendFileSync(file, '\n["0123456789abcdef",{"version":1,"what":"judgement","jud');
  await using again = await JudgementLog.open(file);
  expect(again.secret).toBe(secret);
  expect(again.judgements).toEqual([judgement(0, 'p', 'left')]);
  expect(again.nUnreadable).toBe(1);
  await again.note(judgement(0, 'q', 'tie'));
  expect((await rejection(JudgementLog.open(file))).message).toMatch(/the study s\.judgements\.jsonl/);
});

test('codes are one for each judge, of no use in another study', () => {
  const codes = judgeCodes('a secret of one study', 50);
  expect(new Set(codes).size).toBe(50);
  expect(codes[0]).toMatch(/^[0-9a-hjkmnp-tv-z]{15}$/);
  expect(judgeOf(codes[7]!, codes)).toBe(7);
  for (const wrong of ['', codes[7]!.slice(1), judgeCodes('a secret of another one', 50)[7]!]) {
    expect(judgeOf(wrong, codes)).toBeUndefined();
  }
});

test('a killed process loses nothing that was answered', async () => {
  // The child notes one judgement after the other and says so; it is killed between two of them.
  const script = `
    import { JudgementLog } from ${JSON.stringify(path.resolve('dist/src/studio/study/judgement-log.js'))};
    const log = await JudgementLog.open(${JSON.stringify(file)});
    for (let i = 0; ; i++) {
      await log.note({ judge: 0, pair: 'p' + i, answer: 'left', left: 'ours', tookMs: 1, at: 'now' });
      process.stdout.write(i + '\\n');
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    if (said.split('\n').length > 20) child.kill('SIGKILL');
  });
  await ended;
  const nSaid = said.split('\n').length - 1;
  expect(nSaid).toBeGreaterThanOrEqual(20);
  await using log = await JudgementLog.open(file);
  expect(log.nUnreadable).toBe(0);
  expect(log.judgements.length).toBeGreaterThanOrEqual(nSaid);
  expect(log.judgements.slice(0, nSaid).map(({ pair }) => pair)).toEqual(
    Array.from({ length: nSaid }, (_, i) => `p${i}`),
  );
});
