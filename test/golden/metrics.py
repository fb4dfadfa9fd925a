"""Writes metrics.json: metrics of small made-up outcomes by scikit-learn and scipy.

    python test/golden/metrics.py

Needs numpy, scikit-learn and scipy (made with scikit-learn 1.9.1, scipy 1.17.1).
"""

import json
import pathlib

import numpy as np
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, matthews_corrcoef, mean_squared_error

rng = np.random.default_rng(0)


def classification(name, actual, predicted, label_count):
    labels = list(range(label_count))
    if label_count == 2:
        f1 = f1_score(actual, predicted, pos_label=1, average="binary", zero_division=0)
    else:
        f1 = f1_score(actual, predicted, labels=labels, average="macro", zero_division=0)
    return {
        "name": name,
        "labelCount": label_count,
        "actual": [int(x) for x in actual],
        "predicted": [int(x) for x in predicted],
        "accuracy": float(accuracy_score(actual, predicted)),
        "f1": float(f1),
        "matthews": float(matthews_corrcoef(actual, predicted)),
        "confusion": confusion_matrix(actual, predicted, labels=labels).tolist(),
    }


def noisy(count, label_count, agreement, classes=None):
    actual = rng.integers(0, label_count, count)
    other = rng.integers(0, label_count, count) if classes is None else rng.choice(classes, count)
    return actual, np.where(rng.random(count) < agreement, actual, other)


def regression(name, actual, predicted):
    return {
        "name": name,
        "actual": [float(x) for x in actual],
        "predicted": [float(x) for x in predicted],
        "pearson": float(pearsonr(actual, predicted).statistic),
        "spearman": float(spearmanr(actual, predicted).statistic),
        "meanSquaredError": float(mean_squared_error(actual, predicted)),
    }


def multi_label(name, actual, predicted):
    actual, predicted = np.asarray(actual), np.asarray(predicted)

    def f1(average):
        return f1_score(actual, predicted, average=average, zero_division=0)

    return {
        "name": name,
        "actual": actual.tolist(),
        "predicted": predicted.tolist(),
        "exactMatch": float(accuracy_score(actual, predicted)),
        "microF1": float(f1("micro")),
        "macroF1": float(f1("macro")),
        "labelF1": f1(None).tolist(),
    }


def noisy_bits(count, label_count, agreement, share):
    actual = (rng.random((count, label_count)) < share).astype(int)
    return actual, np.where(rng.random(actual.shape) < agreement, actual, 1 - actual)


stsb = np.round(rng.random(50) * 5 * 5) / 5
golden = {
    "classification": [
        classification("two labels", *noisy(60, 2, 0.6), 2),
        classification("two labels, nearly always wrong", *(lambda a, p: (a, 1 - p))(*noisy(40, 2, 0.9)), 2),
        classification("one positive", [0, 0, 0, 1], [0, 1, 0, 1], 2),
        classification("always the first label", [0, 1, 1, 0, 1], [0] * 5, 2),
        classification("always the second label", [0, 1, 1, 0, 1], [1] * 5, 2),
        classification("one true label", [1] * 4, [1, 0, 1, 1], 2),
        classification("all right, one class only", [0] * 3, [0] * 3, 2),
        classification("three labels", *noisy(60, 3, 0.5), 3),
        classification("five labels, two of them never predicted", *noisy(80, 5, 0.3, [0, 2, 4]), 5),
        classification("four labels, one that never occurs", [0, 1, 2, 1, 0], [0, 1, 1, 1, 2], 4),
    ],
    "regression": [
        regression("noise on STS-B like scores with ties", stsb, stsb + rng.normal(size=50)),
        regression("many ties on both sides", rng.integers(0, 4, 40), rng.integers(0, 4, 40)),
        regression("falling", [1, 2, 3, 4], [8, 4, 2, 1]),
        regression("large mean, small spread", 1e6 + rng.random(20), 1e6 + rng.random(20)),
        regression("two examples", [0.5, 2], [1, 3]),
    ],
    "multiLabel": [
        multi_label("five labels", *noisy_bits(60, 5, 0.8, 0.4)),
        multi_label("rare labels", *noisy_bits(40, 8, 0.9, 0.1)),
        multi_label("two labels, all right", *noisy_bits(12, 2, 1.1, 0.5)),
        multi_label("nothing predicted", [[1, 0], [0, 1], [0, 0]], np.zeros((3, 2), int)),
        multi_label("nothing there", np.zeros((3, 2), int), [[1, 0], [0, 0], [0, 0]]),
        multi_label("nothing there, nothing predicted", np.zeros((3, 2), int), np.zeros((3, 2), int)),
        multi_label("a label that neither occurs nor is predicted", [[1, 0, 1], [0, 0, 1]], [[1, 0, 0], [1, 0, 1]]),
    ],
}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
