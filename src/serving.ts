import type { RunningServer } from './server/running-server.js';
import type { ServerOptions } from './server/options.js';
import type { StudioOptions } from './studio/options.js';
import type { StudyOptions } from './studio/start-study.js';

// What serves is loaded once it is asked for: most programs that import the library never do.

/**
 * Serves crops over HTTP with a cropper that is open; docs/serve.md says what it answers.
 *
 * @throws FramewrightError USAGE, also where the address cannot be listened on; PACKAGE_NOT_FOUND where Fastify is not
 *   installed, an optional peer, with the line that installs it
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  return (await import('./server/server.js')).startServer(options);
}

/**
 * Opens a folder in a local page: docs/studio.md. The server below it answers all that `startServer` does.
 *
 * @throws FramewrightError USAGE; PACKAGE_NOT_FOUND as `startServer`; OUTPUT_LOCKED where another studio has the folder
 *   open; OUTPUT_WRITE
 */
export async function startStudio(options: StudioOptions): Promise<RunningServer> {
  return (await import('./studio/studio.js')).startStudio(options);
}

/**
 * Serves a study: a page for each judge, by a link of their own, and one for its owner, by the token. Nothing else is served:
 * who judges sees the crops of their own pairs.
 *
 * @throws FramewrightError USAGE; PACKAGE_NOT_FOUND as `startServer`; OUTPUT_LOCKED where the study is open elsewhere;
 *   OUTPUT_WRITE
 */
export async function startStudy(options: StudyOptions): Promise<RunningServer> {
  return (await import('./studio/start-study.js')).startStudy(options);
}
