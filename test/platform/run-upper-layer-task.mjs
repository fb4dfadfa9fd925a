// Runs that training in Node or Deno and prints the result as JSON: run-upper-layer-task.mjs CHECKPOINT
import * as graft from '../../dist/graft.js';
import { trainUpperLayer } from './upper-layer-task.mjs';

console.log(JSON.stringify(await trainUpperLayer(graft, process.argv[2])));
process.exit(0);
