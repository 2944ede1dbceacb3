import type { FastifyInstance } from 'fastify';
import { FramewrightError } from '../../base/errors.js';
import type { ServerContext } from '../../server/context.js';
import { HttpProblem } from '../../server/problem.js';
import { judgementRequestSchema, type JudgeAnswer, type ResultsAnswer } from '../study/api.js';
import { EXPORT_FORMS, exportText, type ExportForm } from '../study/export.js';
import { addressForOthers } from '../study/address.js';
import type { ShownPair } from '../study/judge-plan.js';
import { judgeOf } from '../study/judges.js';
import type { OpenStudy } from '../study/open-study.js';
import type { Judgement } from '../study/judgement-log.js';
import type { Answer, MethodCrop } from '../study/pairs.js';
import { knownJudgements, resultsOf } from '../study/results.js';
import { readJson, signalOf } from './requests.js';

/** What the routes of a study work with. */
export interface StudyRooms {
  readonly server: ServerContext;
  readonly open: OpenStudy;
}

interface OfJudge {
  readonly code: string;
}
interface OfPair extends OfJudge {
  readonly pair: string;
}

/** Routes that ask for a judge's code in place of the owner's token. */
export const JUDGE_API = '/study/api/judges/';
/** The page of a judge; what it shows it asks for by the code. */
export const JUDGE_PAGE = '/judge/:code';

const EXPORT_TYPES: Readonly<Record<ExportForm, string>> = {
  jsonl: 'application/jsonl; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  pairs: 'application/jsonl; charset=utf-8',
  choices: 'application/jsonl; charset=utf-8',
};

const MOST_JUDGEMENT_BYTES = 1000;

/** As large as a half of a large screen shows it; nobody is to prefer a crop for its artefacts. */
const AS_JUDGED = { side: 1400, quality: 92 } as const;

/** What judges may ask: their own pairs, two pictures each, and to be heard. */
export function addJudgeRoutes(app: FastifyInstance, rooms: StudyRooms): void {
  const { open } = rooms;

  app.get<{ Params: OfJudge }>(`${JUDGE_API}:code`, ({ params }): JudgeAnswer => {
    const judge = judgeIn(open, params.code);
    const pairs = open.plans[judge]!.map((shown) => {
      const judgement = open.log.of(judge, shown.pair.id);
      const [left, right] = cropsOf(shown);
      const answer = judgement && seenAs(judgement, shown);
      return { id: shown.pair.id, left: sizeOf(left), right: sizeOf(right), ...(answer && { answer }) };
    });
    return { question: open.study.question, pairs };
  });

  for (const side of ['left', 'right'] as const) {
    app.get<{ Params: OfPair }>(`${JUDGE_API}:code/pairs/:pair/${side}`, async ({ params }, reply) => {
      const shown = shownIn(open, judgeIn(open, params.code), params.pair);
      const [left, right] = cropsOf(shown);
      const { box } = side === 'left' ? left : right;
      const bytes = await open.pictures.jpeg({ path: shown.pair.path, box, ...AS_JUDGED }, signalOf(rooms, reply));
      return reply.type('image/jpeg').header('cache-control', 'private, max-age=3600').send(bytes);
    });
  }

  app.put<{ Params: OfPair }>(`${JUDGE_API}:code/pairs/:pair`, async (request, reply) => {
    const judge = judgeIn(open, request.params.code);
    const shown = shownIn(open, judge, request.params.pair);
    const signal = signalOf(rooms, reply);
    const { answer, tookMs } = await readJson(request, judgementRequestSchema, signal, MOST_JUDGEMENT_BYTES);
    const [left] = cropsOf(shown);
    const at = new Date().toISOString();
    await open.log.note({ judge, pair: shown.pair.id, left: left.method, answer, tookMs, at });
    return reply.status(204).send();
  });
}

/** What the owner asks, with the token: figures, the judges' links, and the judgements. */
export function addStudyResultRoutes(app: FastifyInstance, { server, open }: StudyRooms): void {
  const { study, log, codes } = open;

  app.get<{ Querystring: { readonly without?: string } }>('/study/api/results', ({ query, socket }): ResultsAnswer => {
    const address = addressForOthers(server.options.host, socket.localPort ?? server.options.port);
    return {
      title: study.title,
      question: study.question,
      nPairs: study.pairs.length,
      nChecks: study.checks.length,
      nSame: study.nSame,
      notes: study.notes,
      links: codes.map((code) => `${address}/judge/${code}`),
      ...resultsOf(study, log.judgements, { withoutFailed: isWithoutFailed(query) }),
    };
  });

  app.get<{ Querystring: { readonly form?: string; readonly without?: string } }>(
    '/study/api/export',
    ({ query }, reply) => {
      const form = EXPORT_FORMS.find((each) => each === query.form);
      if (!form) throw new FramewrightError('USAGE', `form is one of ${EXPORT_FORMS.join(', ')}`);
      const { leftOut } = resultsOf(study, log.judgements, { withoutFailed: isWithoutFailed(query) });
      const counted = knownJudgements(study, log.judgements).filter(({ judge }) => !leftOut.includes(judge));
      const name = `study-${form}.${form === 'csv' ? 'csv' : 'jsonl'}`;
      return reply
        .type(EXPORT_TYPES[form])
        .header('content-disposition', `attachment; filename="${name}"`)
        .send(exportText(form, counted));
    },
  );
}

/** @throws FramewrightError USAGE */
function isWithoutFailed({ without }: { readonly without?: string }): boolean {
  if (without === undefined || without === 'failed') return without === 'failed';
  throw new FramewrightError('USAGE', 'without=failed leaves out judges that failed their attention checks');
}

/** @throws HttpProblem NOT_FOUND */
function judgeIn({ codes }: OpenStudy, code: string): number {
  const judge = judgeOf(code, codes);
  if (judge !== undefined) return judge;
  throw new HttpProblem('NOT_FOUND', 'there is no such link in this study: ask whoever sent it to you');
}

/** @throws HttpProblem NOT_FOUND for what is not among the judge's own */
function shownIn({ plans }: OpenStudy, judge: number, id: string): ShownPair {
  const shown = plans[judge]!.find(({ pair }) => pair.id === id);
  if (shown) return shown;
  throw new HttpProblem('NOT_FOUND', 'this is none of your pairs: reload the page');
}

function cropsOf({ pair: { a, b }, isALeft }: ShownPair): [left: MethodCrop, right: MethodCrop] {
  return isALeft ? [a, b] : [b, a];
}

function sizeOf({ box: [x1, y1, x2, y2] }: MethodCrop): { width: number; height: number } {
  return { width: x2 - x1, height: y2 - y1 };
}

/** A judgement made while the crops lay the other way round is of the same crop. */
function seenAs({ answer, left }: Pick<Judgement, 'answer' | 'left'>, shown: ShownPair): Answer {
  if (answer === 'tie' || cropsOf(shown)[0].method === left) return answer;
  return answer === 'left' ? 'right' : 'left';
}
