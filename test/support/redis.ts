import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createConnection } from 'node:net';

/** A redis-server of a test's own. */
export interface TestRedis {
  readonly url: string;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, on what it had written. */
  restart(): Promise<void>;
  /** Empties it. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the real server, on a free port; it writes every change into `folder`, as one that holds a queue should. */
export async function startRedis(folder: string): Promise<TestRedis> {
  const port = await freePort();
  let server: ChildProcess;
  const start = async (): Promise<void> => {
    const settings = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      '--save',
      '',
      '--appendonly',
      'yes',
    ];
    server = spawn('redis-server', settings, { stdio: 'ignore' });
    await answers(port);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    kill: () => end('SIGKILL'),
    restart: start,
    clear: async () => {
      await answerTo(port, 'FLUSHALL');
    },
    close: () => end('SIGTERM'),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits for the server to answer PING; one that reads a long file of changes says LOADING first. */
async function answers(port: number): Promise<void> {
  for (let nTries = 0; nTries < 200; nTries++) {
    if ((await answerTo(port, 'PING')).startsWith('+PONG')) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`redis-server does not answer on port ${port}`);
}

function answerTo(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => socket.write(`${command}\r\n`));
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (bytes: Buffer) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.on('error', () => resolve(''));
    socket.on('close', () => resolve(''));
  });
}
