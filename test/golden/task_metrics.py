"""Writes task_metrics.json: entity metrics by seqeval, and exact match and F1 of SQuAD v1.1 and v2.0.

    python test/golden/task_metrics.py

Needs seqeval (made with 1.2.2) and transformers (4.51.3), against which `squad` below is checked: transformers follows SQuAD
v2.0's script, which differs from v1.1's only where an answer has no words.
"""

import collections
import json
import pathlib
import random
import re
import string
import types
import warnings

from seqeval.metrics.sequence_labeling import accuracy_score, get_entities, precision_recall_fscore_support
from transformers.data.metrics import squad_metrics

warnings.filterwarnings("ignore")
rng = random.Random(20190615)


def entities(name, actual, predicted):
    overall = precision_recall_fscore_support(actual, predicted, average="micro")
    by_type = precision_recall_fscore_support(actual, predicted, average=None)
    types = sorted({kind for tags in (actual, predicted) for kind, _, _ in get_entities(tags)})
    return {
        "name": name,
        "actual": actual,
        "predicted": predicted,
        **{key: float(value) for key, value in zip(["precision", "recall", "f1"], overall)},
        "accuracy": float(accuracy_score(actual, predicted)),
        "byType": [
            [kind, {"precision": float(p), "recall": float(r), "f1": float(f), "support": int(n)}]
            for kind, p, r, f, n in zip(types, *by_type)
        ],
    }


def noisy(count, tags, agreement, longest=12):
    actual = [[rng.choice(tags) for _ in range(rng.randint(1, longest))] for _ in range(count)]
    predicted = [[tag if rng.random() < agreement else rng.choice(tags) for tag in sentence] for sentence in actual]
    return actual, predicted


def tags(prefixes, types):
    return ["O"] + [f"{prefix}-{kind}" for prefix in prefixes for kind in types]


one = [["B-PER", "I-PER", "O", "B-LOC"]]
ODD = ["O", "B", "I", "E", "S", "X", "X-a", "B-a", "I-a", "E-a", "S-a", "L-a", "U-a", "-a", "-", ".", ".-a", "O-a", "B-", "I-", "B-a-b", "I-a-b", "B-b", "b-a", "person", "Bad", "I_a", "\u00e9-a", "\U0001f600-a", "E-__proto__"]
entity_cases = [
    entities("all right", one, one),
    entities("nothing predicted", one, [["O"] * 4]),
    entities("nothing there", [["O"] * 4], one),
    entities("no entity on either side", [["O", "O"]], [["O", "O"]]),
    entities("a lone I- begins one", [["O", "I-a", "I-a"]], [["O", "B-a", "I-a"]]),
    entities("another type begins one", [["B-a", "I-b"]], [["B-a", "B-b"]]),
    entities("the next sentence begins anew", [["B-a"], ["I-a"]], [["B-a"], ["B-a"]]),
    entities("an empty sentence", [["B-a"], [], ["B-b"]], [["B-a"], [], ["B-a"]]),
    entities("right type, other tokens", [["B-a", "I-a", "O"]], [["B-a", "I-a", "I-a"]]),
    entities("E- without a begin keeps the last one", [["B-a", "O", "X", "E"]], [["B-a", "X", "X", "E"]]),
    *(
        entities(f"random {name}", *noisy(40, tags(prefixes, ["LOC", "PER", "MISC"]), agreement))
        for name, prefixes in {"IOB": "BI", "IOE": "IE", "IOBES": "BIES", "types alone": "I"}.items()
        for agreement in (0.5, 0.9)
    ),
    *(entities(f"odd tags {i}", *noisy(25, ODD, agreement, 8)) for i, agreement in enumerate([0.3, 0.6, 0.8, 0.95])),
    *(entities(f"few odd tags {i}", *noisy(20, rng.sample(ODD, 5), 0.7, 8)) for i in range(12)),
]


def words(answer):
    answer = "".join(c for c in answer.lower() if c not in string.punctuation)
    return re.sub(r"\b(?:a|an|the)\b", " ", answer).split()


def squad(predicted, answer):
    mine, right = words(predicted), words(answer)
    same = sum((collections.Counter(mine) & collections.Counter(right)).values())
    f1 = 0.0
    if same > 0:
        precision, recall = same / len(mine), same / len(right)
        f1 = 2 * precision * recall / (precision + recall)
    exact = float(mine == right)
    assert exact == squad_metrics.compute_exact(answer, predicted), (predicted, answer)
    if mine and right:
        assert f1 == squad_metrics.compute_f1(answer, predicted), (predicted, answer)
    return exact, f1


def spans(name, outcomes):
    scores = [[max(column) for column in zip(*(squad(predicted, a) for a in answers))] for predicted, answers in outcomes]
    exact, f1 = (sum(column) / len(scores) for column in zip(*scores))
    outcomes = [{"predicted": predicted, "answers": answers} for predicted, answers in outcomes]
    return {"name": name, "outcomes": outcomes, "exactMatch": exact, "f1": f1}


PIECES = [
    *"a an the A The THE theory anthem".split(),
    *"cat, dog. U.S. 1,000 well-known (so) rock'n'roll _ under_score € 5½ naïve Σίσυφος ΟΔΟΣ İstanbul straße".split(),
    *"这是 答案 हिन्दी العربية a\u0301 the\u0301 a١ aⅫ a² éa ǅ ﬁ 𝐚 😀".split(),
    *["\u00a0", "\u2003", "\u200b", "\ufeff", "\x1c", "\x1f", "\x85", "\t", "\n", "  ", "“the”", "–", "...", "", "a-the", "the—a", "an’s"],
]


def phrase():
    return rng.choice(["", " "]).join(rng.choice(PIECES) for _ in range(rng.randint(0, 6)))


def near(text):
    parts = re.split(r"(\s+)", text)
    return "".join(part for part in parts if rng.random() < 0.8) + rng.choice(["", ".", " the", " cat"])


def random_outcomes(count):
    answers = [[phrase() for _ in range(rng.randint(1, 4))] for _ in range(count)]
    return [(near(rng.choice(right)), right) for right in answers]


span_cases = [
    spans("case, articles, punctuation and white space", [("The  cat!", ["a cat"])]),
    spans("the best of several answers", [("cat sat", ["dog", "cat", "the cat sat down"])]),
    spans("each word as often as it is there", [("x x x y", ["x x z"])]),
    spans("hyphens join", [("well-known", ["wellknown"]), ("well known", ["well-known"])]),
    spans("no words at all", [("the", ["a"]), ("", ["."]), ("the", ["cat"])]),
    *(spans(f"random {i}", random_outcomes(1 if i < 150 else 40)) for i in range(160)),
]
# Each piece alone, so that none hides behind another.
span_cases += [spans(f"alone: {piece!r}", [(piece, [f"the {piece}"]), (f"x{piece}a", ["x a"])]) for piece in PIECES]



def spans_with_none(name, outcomes):
    """As SQuAD v2.0 counts, all predictions taken as they are; empty lists of answers are questions without one."""
    examples = [
        squad_metrics_example(str(i), [{"text": answer} for answer in answers]) for i, (_, answers) in enumerate(outcomes)
    ]
    predictions = {str(i): predicted for i, (predicted, _) in enumerate(outcomes)}
    result = squad_metrics.squad_evaluate(examples, predictions)
    scores = {
        f"{key}": {"exactMatch": result[f"{prefix}exact"] / 100, "f1": result[f"{prefix}f1"] / 100, "examples": result[f"{prefix}total"]}
        for key, prefix in {"all": "", "withAnswer": "HasAns_", "withoutAnswer": "NoAns_"}.items()
        if f"{prefix}exact" in result
    }
    return {"name": name, "outcomes": [{"predicted": p, "answers": a} for p, a in outcomes], **scores}


def squad_metrics_example(identity, answers):
    return types.SimpleNamespace(qas_id=identity, answers=answers)


def with_none(outcomes):
    """About a third of the questions lose their answers, about a third of the predictions their words."""
    return [
        (rng.choice(["", "the", "."]) if rng.random() < 1 / 3 else predicted, [] if rng.random() < 1 / 3 else answers)
        for predicted, answers in outcomes
    ]


none_cases = [
    spans_with_none("none, and none said", [("", []), ("the", []), ("cat", ["cat"])]),
    spans_with_none("none, and one said", [("cat", []), ("cat", ["a cat"])]),
    spans_with_none("one, and none said", [("", ["cat"]), ("", [])]),
    spans_with_none("an answer without words beside others", [("the", ["the", "cat"]), ("", []), ("a", ["the"])]),
    spans_with_none("no question has one", [("", []), ("cat", [])]),
    *(spans_with_none(f"random {i}", [("", []), *with_none(random_outcomes(20))]) for i in range(40)),
]

golden = {"entities": entity_cases, "spans": span_cases, "spansWithNone": none_cases}
text = json.dumps(golden, separators=(",", ":"), ensure_ascii=True)
pathlib.Path(__file__).with_suffix(".json").write_text(text + "\n")
