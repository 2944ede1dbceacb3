import type { Command } from 'commander';
import { addCancelCommand, addRetryCommand } from './change.js';
import { addStatusCommand } from './status.js';
import { addSubmitCommand } from './submit.js';
import { addWorkCommand } from './work.js';

const HELP = `
Photos that are too many for one machine: submit puts them into a queue, any number of machines with work take them out,
crop them and write the files. The queue is BullMQ on a Redis or Valkey server of yours (npm install bullmq ioredis); photos
and crops lie in a folder that all machines have under one path.

Examples:
  framewright fleet submit /photos --recursive -a 4:5 -o /crops --queue redis://queue:6379
  framewright fleet work --queue redis://queue:6379          # on each machine
  framewright fleet status --queue redis://queue:6379`;

/** `framewright fleet`: runs over many machines. */
export function addFleetCommand(program: Command): void {
  const fleet = program
    .command('fleet')
    .description('crop many photos on many machines, by a queue on Redis or Valkey')
    .addHelpText('after', HELP);
  addSubmitCommand(fleet);
  addWorkCommand(fleet);
  addStatusCommand(fleet);
  addRetryCommand(fleet);
  addCancelCommand(fleet);
}
