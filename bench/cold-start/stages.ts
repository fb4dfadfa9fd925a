/** When each stage of a cold start had ended, in milliseconds since the process began. */
export interface Stages {
  /** The first line of the script. */
  readonly start: number;
  readonly library: number;
  readonly runtime: number;
  readonly backbone: number;
  readonly task: number;
  /** The first training step. */
  readonly step: number;
}

export const STAGE_NAMES = ['start', 'library', 'runtime', 'backbone', 'task', 'step'] as const;
