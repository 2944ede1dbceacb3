import { Option, type Command } from 'commander';

/** Options of every command about a queue. */
export interface QueueFlags {
  readonly queue: string;
}

/** A password in it is better kept out of the list of processes. */
export function addQueueOption(command: Command): Command {
  return command.addOption(
    new Option('--queue <url>', 'the server of the queue: redis://[user:password@]host[:port][/database], or rediss://')
      .env('FRAMEWRIGHT_QUEUE')
      .default('redis://127.0.0.1:6379'),
  );
}
