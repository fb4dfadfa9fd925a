/** The driver's end of protocol.ts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type Job, REPLY_MARK, type Ready, type Reply, type Round } from './protocol';

/** Compiling kernels for a software driver, or a step of a slow peer, takes minutes. */
const LONGEST_WAIT_MS = 15 * 60_000;

/** Windows has no such signals. */
const CAN_PAUSE = process.platform !== 'win32';

/**
 * A contestant's process. It runs only between a call and its answer: in between it is stopped, since some keep polling their
 * device or waiting for their threads in busy loops, at the cost of whoever's turn it is.
 */
export class ContestantProcess {
  readonly #child: ChildProcess;
  readonly #waiting: ((reply: Reply) => void)[] = [];
  #lastErrors = '';
  #failure: Reply | undefined;

  /** @param command program and arguments, to which the job is added */
  constructor(command: readonly string[], job: Job) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, [...args, JSON.stringify(job)], { stdio: ['pipe', 'pipe', 'pipe'] });
    const fail = (reason: string) => this.#answer({ type: 'failure', reason });
    this.#child.on('error', (error) => fail(error.message));
    this.#child.on('close', (code, signal) => {
      fail(`its process ended (${signal ?? code}): ${this.#lastErrors.trim() || 'it said nothing'}`);
    });
    // A write to a process that has just ended fails; its end is reported above.
    this.#child.stdin?.on('error', () => {});
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      this.#lastErrors = (this.#lastErrors + chunk.toString()).slice(-2000);
    });
    if (this.#child.stdout !== null) {
      createInterface({ input: this.#child.stdout }).on('line', (line) => {
        if (line.startsWith(REPLY_MARK)) this.#answer(JSON.parse(line.slice(REPLY_MARK.length)));
      });
    }
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  async ready(): Promise<Ready> {
    const reply = await this.#reply();
    if (reply.type !== 'ready') throw new Error(reply.type === 'failure' ? reply.reason : 'not ready');
    this.#pause();
    return reply;
  }

  async round(): Promise<Round> {
    if (CAN_PAUSE) this.#child.kill('SIGCONT');
    this.#child.stdin?.write('round\n');
    const reply = await this.#reply();
    if (reply.type !== 'round') throw new Error(reply.type === 'failure' ? reply.reason : 'no round');
    this.#pause();
    return reply;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  #pause(): void {
    if (CAN_PAUSE) this.#child.kill('SIGSTOP');
  }

  #answer(reply: Reply): void {
    // The first failure tells why; that the process ended then is no news.
    if (reply.type === 'failure') this.#failure ??= reply;
    this.#waiting.shift()?.(this.#failure ?? reply);
  }

  #reply(): Promise<Reply> {
    if (this.#failure !== undefined) return Promise.resolve(this.#failure);
    return new Promise((resolve) => {
      const late = setTimeout(() => {
        resolve({ type: 'failure', reason: `no answer in ${LONGEST_WAIT_MS / 60_000} minutes` });
        this.end();
      }, LONGEST_WAIT_MS);
      this.#waiting.push((reply) => {
        clearTimeout(late);
        resolve(reply);
      });
    });
  }
}
