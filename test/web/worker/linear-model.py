"""Writes linear-model.json: what scikit-learn makes of small data sets, for linear-model.test.ts.

Run: python test/web/worker/linear-model.py    (scikit-learn, NumPy)
"""

import json
from pathlib import Path

import numpy
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

ROWS, WIDTH, CLASSES = 40, 6, 3
PENALTY = 0.02


def rounded(values):
    """Few digits, so that both sides read the same numbers."""
    return numpy.round(values, 3)


def main():
    random = numpy.random.default_rng(20190615)
    features = rounded(random.normal(size=(ROWS, WIDTH)) * [1, 10, 0.1, 1, 1, 1] + [0, 5, 0, 0, 0, -3])
    features[:, 4] = 2.5  # constant
    scores = features @ random.normal(size=(WIDTH, CLASSES)) + random.normal(size=(ROWS, CLASSES))
    classes = scores.argmax(axis=1)
    numbers = rounded(features @ random.normal(size=WIDTH) + random.normal(size=ROWS))
    scaled = StandardScaler().fit_transform(features)

    logistic = LogisticRegression(C=1 / (PENALTY * ROWS), tol=1e-10, max_iter=10_000).fit(scaled, classes)
    logits = logistic.decision_function(scaled)

    target = StandardScaler()
    ridge = Ridge(alpha=PENALTY * ROWS).fit(scaled, target.fit_transform(numbers[:, None]).ravel())
    predicted = target.inverse_transform(ridge.predict(scaled)[:, None]).ravel()
    value = {
        "penalty": PENALTY,
        "features": features.tolist(),
        "classes": classes.tolist(),
        "logits": (logits - logits.mean(axis=1, keepdims=True)).tolist(),
        "numbers": numbers.tolist(),
        "predicted": predicted.tolist(),
    }
    Path(__file__).with_suffix(".json").write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
