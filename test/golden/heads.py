"""Writes test/golden/heads.json: losses of heads by PyTorch, and what they make of five training steps on test/golden/bert.

`losses`: logits and labels with the loss and its gradient, of CrossEntropyLoss with weights and ignored rows, and of
BCEWithLogitsLoss with weights of the positives. `steps`: the whole model from bert/parameters.safetensors, with a multi-label head
and with weighted classes; tensors are summed up as in methods.json (`summary` of methods.py). Numbers are rounded to f32 before
they are used; all else is float64.

Run: python test/golden/heads.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from sklearn.utils.class_weight import compute_class_weight
from transformers import BertConfig, BertForSequenceClassification

from methods import summary
from reference_model import (
    AuthorsAdamW,
    backward,
    clip_gradients,
    learning_rate_at,
    load_checkpoint,
    logits_of,
    padded,
    trainable_names,
)

HERE = Path(__file__).parent
STEPS = 5
PEAK_LEARNING_RATE = 1e-3
IGNORED = -100
# Which of the three labels the five texts of bert/batch.json have; the third has none.
MULTI_LABELS = [[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 1]]
POSITIVE_WEIGHTS = [1.5, 0.5, 4.0]
CLASS_WEIGHTS = [0.5, 2.0, 1.25]


def rounded(tensor):
    return tensor.float().double()


def loss_case(name, logits, labels, loss_of, weights=None):
    logits = rounded(logits).requires_grad_()
    weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    loss = loss_of(logits, labels, weight)
    loss.backward()
    return {
        "name": name,
        "logits": logits.tolist(),
        "labels": labels.tolist(),
        "weights": weights,
        "loss": loss.item(),
        "gradient": logits.grad.tolist(),
    }


def cross_entropy(logits, labels, weight):
    return F.cross_entropy(logits, labels, weight, ignore_index=IGNORED)


def binary_cross_entropy(logits, labels, weight):
    return F.binary_cross_entropy_with_logits(logits, labels, pos_weight=weight)


def losses():
    generator = torch.Generator().manual_seed(7)

    def logits(rows, columns):
        return 3 * torch.randn((rows, columns), dtype=torch.float64, generator=generator)

    def classes(rows, count):
        return torch.randint(count, (rows,), generator=generator)

    def bits(rows, columns):
        return torch.randint(2, (rows, columns), generator=generator).double()

    ignored = classes(9, 4)
    ignored[torch.tensor([0, 3, 7])] = IGNORED
    weights = [0.25, 3.0, 1.0, 0.5]
    return {
        "crossEntropy": [
            loss_case("weighted", logits(7, 4), classes(7, 4), cross_entropy, weights),
            loss_case("ignored rows", logits(9, 4), ignored, cross_entropy),
            loss_case("weighted, ignored rows", logits(9, 4), ignored, cross_entropy, weights),
        ],
        "binaryCrossEntropy": [
            loss_case("plain", logits(6, 5), bits(6, 5), binary_cross_entropy),
            loss_case("weighted", logits(6, 5), bits(6, 5), binary_cross_entropy, [0.5, 2.0, 1.0, 8.0, 0.25]),
            loss_case("large logits", 60 * logits(3, 2), bits(3, 2), binary_cross_entropy, [2.0, 0.5]),
        ],
    }


def check_against_transformers(config, batch):
    """The problem type's loss must be the one that is used here."""
    torch.manual_seed(1)
    model = BertForSequenceClassification(
        BertConfig(**config, num_labels=3, problem_type="multi_label_classification")
    ).double()
    ids, type_ids, mask = batch
    labels = torch.tensor(MULTI_LABELS).double()
    output = model.eval()(ids, mask.long(), type_ids, labels=labels)
    difference = (output.loss - binary_cross_entropy(output.logits, labels, None)).abs().item()
    assert difference < 1e-12, f"differs from transformers by {difference}"


def steps(config, backbone, batch, loss_of):
    start = load_file(HERE / "bert" / "parameters.safetensors")
    parameters = {name: start[name].double().requires_grad_() for name in trainable_names(config)}
    optimizer, losses, norms, result = AuthorsAdamW(parameters), [], [], {}
    for step in range(STEPS):
        loss = loss_of(logits_of(config, backbone, parameters, *batch))
        backward(parameters, loss)
        if step == 0:
            result["gradients"] = {name: summary(p.grad) for name, p in parameters.items()}
        norms.append(clip_gradients(parameters))
        losses.append(loss.item())
        optimizer.step(learning_rate_at(step, STEPS, PEAK_LEARNING_RATE))
    result["losses"], result["gradientNorms"] = losses, norms
    result["parameters"] = {name: summary(p) for name, p in parameters.items()}
    return result


def main():
    torch.set_num_threads(1)
    config, backbone = load_checkpoint(HERE / "bert" / "checkpoint", torch.float64)
    inputs = json.loads((HERE / "bert" / "batch.json").read_text())
    batch, labels = padded(inputs["sequences"]), torch.tensor(inputs["labels"])
    check_against_transformers(config, batch)
    bits = torch.tensor(MULTI_LABELS, dtype=torch.float64)
    positive, weights = (torch.tensor(w, dtype=torch.float64) for w in (POSITIVE_WEIGHTS, CLASS_WEIGHTS))
    runs = {
        "multi-label": steps(config, backbone, batch, lambda z: binary_cross_entropy(z, bits, None)),
        "multi-label, weighted": steps(config, backbone, batch, lambda z: binary_cross_entropy(z, bits, positive)),
        "classification, weighted": steps(config, backbone, batch, lambda z: cross_entropy(z, labels, weights)),
    }
    balanced = compute_class_weight("balanced", classes=torch.arange(3).numpy(), y=labels.numpy())
    golden = {
        "losses": losses(),
        "multiLabels": MULTI_LABELS,
        "positiveWeights": POSITIVE_WEIGHTS,
        "classWeights": CLASS_WEIGHTS,
        "balanced": balanced.tolist(),
        "steps": STEPS,
        "peakLearningRate": PEAK_LEARNING_RATE,
        "runs": runs,
    }
    (HERE / "heads.json").write_text(json.dumps(golden, indent=1) + "\n")
    for name, run in runs.items():
        print(f"{name}: losses {run['losses']}")


if __name__ == "__main__":
    main()
