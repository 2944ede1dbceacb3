import { checkOptions } from '../base/options-check.js';
import { defined } from '../base/defined.js';
import { FramewrightError } from '../base/errors.js';
import { openApp } from '../server/app.js';
import { listen } from '../server/listen.js';
import type { RunningServer } from '../server/running-server.js';
import { openContext } from '../server/open-context.js';
import type { ServerOptions } from '../server/options.js';
import { addHealthRoutes } from '../server/routes/health.js';
import { addPage, ASSETS } from './routes/page.js';
import { addJudgeRoutes, addStudyResultRoutes, JUDGE_API, JUDGE_PAGE } from './routes/study.js';
import { openStudy } from './study/open-study.js';

export interface StudyOptions extends Omit<ServerOptions, 'root'> {
  /** The study's file; docs/study.md has its form. */
  readonly study: string;
  /** Largest photo. */
  readonly maxPixels?: number;
}

const OPEN_FILES: readonly string[] = ['/icon.svg'];

/** `startStudy` of the library: src/serving.ts. */
export async function startStudy(options: StudyOptions): Promise<RunningServer> {
  const { study, maxPixels, ...rest } = options;
  checkOptions('startStudy', { study, ...defined({ maxPixels }) }, { study: 'text', maxPixels: 'number' });
  if (rest.token === false) {
    throw new FramewrightError('USAGE', 'what judges said is for who asked them: leave out --no-token');
  }
  const server = await openContext(rest);
  const open = await openStudy(study, defined({ maxPixels }));
  try {
    const app = await openApp(server, {
      isOpen: (route) =>
        route === JUDGE_PAGE || route.startsWith(JUDGE_API) || route.startsWith(ASSETS) || OPEN_FILES.includes(route),
    });
    const rooms = { server, open };
    addHealthRoutes(app, server);
    addJudgeRoutes(app, rooms);
    addStudyResultRoutes(app, rooms);
    await addPage(app, 'study.html', ['/', JUDGE_PAGE]);
    return await listen(app, server, { onClosed: () => open[Symbol.asyncDispose]() });
  } catch (error) {
    await open[Symbol.asyncDispose]();
    throw error;
  }
}
