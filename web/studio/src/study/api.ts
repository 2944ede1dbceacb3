// Asks the server of a study; the types are the server's own.
import type { JudgeAnswer, JudgementRequest, ResultsAnswer } from '../../../../src/studio/study/api.js';

export type { JudgeAnswer, JudgementRequest, ResultsAnswer } from '../../../../src/studio/study/api.js';
export type Answer = JudgementRequest['answer'];

async function ask(path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(`/study/api/${path}`, init).catch(() => {
    throw new Error('There is no answer: is the network there, and the study still open?');
  });
  if (response.ok) return response;
  const problem = (await response.json().catch(() => undefined)) as { readonly detail?: string } | undefined;
  throw new Error(problem?.detail ?? `The answer was ${response.status}.`);
}

export async function judgeOf(code: string): Promise<JudgeAnswer> {
  return (await (await ask(`judges/${code}`)).json()) as JudgeAnswer;
}

export async function judge(code: string, pair: string, request: JudgementRequest): Promise<void> {
  await ask(`judges/${code}/pairs/${pair}`, { method: 'PUT', body: JSON.stringify(request) });
}

export function cropUrl(code: string, pair: string, side: 'left' | 'right'): string {
  return `/study/api/judges/${code}/pairs/${pair}/${side}`;
}

export async function results(isWithoutFailed: boolean): Promise<ResultsAnswer> {
  return (await (await ask(`results${isWithoutFailed ? '?without=failed' : ''}`)).json()) as ResultsAnswer;
}

export function exportUrl(form: 'jsonl' | 'csv' | 'pairs' | 'choices', isWithoutFailed: boolean): string {
  return `/study/api/export?form=${form}${isWithoutFailed ? '&without=failed' : ''}`;
}
