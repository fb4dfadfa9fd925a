/** The baseline's linear models against scikit-learn: linear-model.py. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baselineScore } from '../../../examples/web/src/worker/baseline/baseline';
import { minimize } from '../../../examples/web/src/worker/baseline/lbfgs';
import { fitLinearModel, objectiveOf } from '../../../examples/web/src/worker/baseline/linear-model';
import { Breather } from '../../../examples/web/src/worker/breather';
import { seededRandom } from '../../../examples/web/src/worker/data/seeded-random';
import { relativeError } from '../../support/compare';

interface Fixture {
  readonly penalty: number;
  readonly features: number[][];
  readonly classes: number[];
  /** Their mean over the classes is 0. */
  readonly logits: number[][];
  readonly numbers: number[];
  readonly predicted: number[];
}

const fixture: Fixture = JSON.parse(readFileSync(join(import.meta.dirname, 'linear-model.json'), 'utf8'));
const exact = { penalty: fixture.penalty, breather: new Breather(), gradientTolerance: 1e-9 };

describe('a linear model', () => {
  it("of classes is scikit-learn's logistic regression", async () => {
    const { features, classes, logits } = fixture;
    const model = await fitLinearModel(features, { kind: 'classes', classes: 3, values: classes }, exact);
    const found = features.map((row) => {
      const scores = [...model.predict(row)];
      const mean = scores.reduce((sum, score) => sum + score, 0) / scores.length;
      return scores.map((score) => score - mean);
    });
    expect(relativeError(found.flat(), logits.flat())).toBeLessThan(1e-5);
  });

  it("of numbers is scikit-learn's ridge regression", async () => {
    const { features, numbers, predicted } = fixture;
    const model = await fitLinearModel(features, { kind: 'numbers', values: numbers }, exact);
    expect(
      relativeError(
        features.map((row) => model.predict(row)[0] ?? Number.NaN),
        predicted,
      ),
    ).toBeLessThan(1e-6);
    // The fit is no interpolation, and no constant.
    expect(relativeError(predicted, numbers)).toBeGreaterThan(1e-2);
    expect(relativeError(predicted, numbers)).toBeLessThan(0.5);
  });

  it.each([
    { kind: 'classes', outputs: 3 },
    { kind: 'numbers', outputs: 1 },
  ] as const)("has the gradient that its loss's differences say: $kind", ({ kind, outputs }) => {
    const random = seededRandom(5);
    const rows = Array.from({ length: 7 }, () => Float64Array.from({ length: 4 }, () => random() - 0.5));
    const wanted = rows.map((_, i) => (kind === 'classes' ? i % 3 : random()));
    const objective = objectiveOf(rows, wanted, { kind, outputs, width: 4, penalty: 0.3 });
    const x = Float64Array.from({ length: outputs * 5 }, () => random() - 0.5);
    const gradient = new Float64Array(x.length);
    objective(x, gradient);
    const differences = x.map((_, i) => {
      const moved = (by: number) =>
        objective(
          x.map((value, j) => (i === j ? value + by : value)),
          new Float64Array(x.length),
        );
      return (moved(1e-5) - moved(-1e-5)) / 2e-5;
    });
    expect(relativeError(gradient, differences)).toBeLessThan(1e-8);
  });

  it('is found by L-BFGS also where the curvature differs a thousandfold', async () => {
    const scales = Float64Array.from({ length: 20 }, (_, i) => 1000 ** (i / 19));
    const minimum = await minimize(
      (x, gradient) =>
        x.reduce((sum, value, i) => {
          const scale = scales[i] ?? 1;
          gradient[i] = scale * (value - i);
          return sum + (scale * (value - i) ** 2) / 2;
        }, 0),
      new Float64Array(20),
      { breather: new Breather(), gradientTolerance: 1e-8 },
    );
    expect(
      relativeError(
        minimum,
        Array.from({ length: 20 }, (_, i) => i),
      ),
    ).toBeLessThan(1e-6);
  });
});

describe('the baseline', () => {
  const random = seededRandom(11);
  const draw = (count: number) =>
    Array.from({ length: count }, () => {
      const features = Float64Array.from({ length: 30 }, () => random() - 0.5);
      return { features, value: (features[0] ?? 0) + 0.5 * (features[1] ?? 0) };
    });
  const [train, heldOut] = [draw(120), draw(80)];
  const targets = (items: typeof train, target: (value: number) => number) =>
    items.map(({ features, value }) => ({ features, target: target(value) }));

  it('learns classes and numbers that are linear in the features', async () => {
    const sign = (value: number) => Number(value > 0);
    const accuracy = await baselineScore({
      kind: 'classification',
      outputs: 2,
      train: targets(train, sign),
      heldOut: targets(heldOut, sign),
      seed: 1,
    });
    // By chance a half.
    expect(accuracy).toBeGreaterThan(0.8);
    const correlation = await baselineScore({
      kind: 'regression',
      outputs: 1,
      train: targets(train, (value) => 100 + 7 * value),
      heldOut: targets(heldOut, (value) => 100 + 7 * value),
      seed: 1,
    });
    expect(correlation).toBeGreaterThan(0.99);
  });

  it('finds nothing where there is nothing, and stops when it is told to', async () => {
    const noise = () => Number(random() > 0.5);
    const task = {
      kind: 'classification',
      outputs: 2,
      train: targets(train, noise),
      heldOut: targets(heldOut, noise),
      seed: 1,
    } as const;
    const accuracy = await baselineScore(task);
    expect(accuracy).toBeGreaterThan(0.3);
    expect(accuracy).toBeLessThan(0.7);
    const stopped = baselineScore({ ...task, signal: AbortSignal.abort(new Error('enough')) });
    await expect(stopped).rejects.toThrow('enough');
  });
});
