// Runs the small training in Node or Deno and prints the result as JSON: run-small-task.mjs CHECKPOINT BACKEND
import * as graft from '../../dist/graft.js';
import { trainSmallTask } from './small-task.mjs';

console.log(JSON.stringify(await trainSmallTask(graft, process.argv[2], process.argv[3])));
process.exit(0);
