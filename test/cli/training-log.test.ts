import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readTrainingLog, reportsBefore, TrainingLog } from '../../src/cli/training-log';
import { FileWriteError } from '../../src/index';
import { done, epoch, step } from './fixtures';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'graft-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));
const path = () => join(directory, 'run', 'training.jsonl');

describe('training.jsonl', () => {
  it('holds every report as it came, and makes its directory', () => {
    const log = new TrainingLog(path(), { resume: false });
    const reports = [step(1), step(2), epoch(1), done()];
    for (const report of reports) {
      log.append(report);
      expect(readFileSync(path(), 'utf8').endsWith(`${JSON.stringify(report)}\n`)).toBe(true);
    }
    log.close();
    expect(readTrainingLog(path())).toEqual(reports);
  });

  it('starts anew without resume', () => {
    for (const number of [1, 2]) {
      const log = new TrainingLog(path(), { resume: false });
      log.append(step(number));
      log.close();
    }
    expect(readTrainingLog(path())).toEqual([step(2)]);
  });

  it('is cut back to the resumed step', () => {
    const first = new TrainingLog(path(), { resume: false });
    for (const report of [step(1), step(2), epoch(1), step(3, { epoch: 2 }), step(4, { epoch: 2 })]) {
      first.append(report);
    }
    first.close();
    // Killed in the middle of a line.
    writeFileSync(path(), `${readFileSync(path(), 'utf8')}{"type":"step","st`);
    const second = new TrainingLog(path(), { resume: true });
    second.append(step(4, { epoch: 2, loss: 7 }));
    second.append(done());
    second.close();
    const expected = [
      step(1),
      step(2),
      epoch(1),
      step(3, { epoch: 2 }),
      step(4, { epoch: 2, loss: 7 }),
      done(),
    ];
    expect(readTrainingLog(path())).toEqual(expected);
    for (const line of readFileSync(path(), 'utf8').trimEnd().split('\n')) {
      expect(JSON.parse(line)).toHaveProperty('type');
    }
  });

  it('keeps the steps of an epoch whose evaluation is taken again', () => {
    expect(reportsBefore(epoch(1, { step: 2 }), [step(1), step(2), epoch(1)])).toEqual([step(1), step(2)]);
    expect(reportsBefore(done(), [step(1), epoch(1), done()])).toEqual([step(1), epoch(1)]);
  });

  it('reads a metric that was none as NaN', () => {
    const dev = { pearson: Number.NaN, spearman: Number.NaN, meanSquaredError: 1, loss: 1, examples: 3 };
    const log = new TrainingLog(path(), { resume: false });
    log.append(epoch(1, { dev }));
    log.close();
    expect(readTrainingLog(path())).toEqual([epoch(1, { dev })]);
  });

  it('tells where it cannot be written', () => {
    writeFileSync(join(directory, 'run'), 'a file');
    const log = new TrainingLog(path(), { resume: false });
    expect(() => log.append(step(1))).toThrow(FileWriteError);
  });
});
