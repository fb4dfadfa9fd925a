"""Writes what one step of the heads with a row for each token gives on the encoder and batch of bert_step.py: bert/token_*, bert/span_*.

Everything in float64, as in bert_step.py, whose files are read. Run: python test/golden/token_heads.py
"""

import json

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import BertConfig, BertForQuestionAnswering, BertForTokenClassification

from bert_step import BOTTLENECK, OUTPUT, SEED, gradients_of, random_tensor, trained, write_json, write_tensors
from reference_model import (
    adapter_and_classifier_shapes,
    backward,
    checkpoint_layer_norms,
    encode,
    load_checkpoint,
    padded,
)

LABELS = 3
IGNORED = -100
CLASS_WEIGHTS = [0.5, 2.0, 1.25]


def row_logits(config, backbone, parameters, batch):
    """[B, L, C]"""
    states = encode(config, backbone, parameters, *batch)
    return F.linear(states[-1], parameters["classifier.weight"], parameters["classifier.bias"])


def token_loss(logits, labels, weights=None):
    return F.cross_entropy(logits.flatten(0, 1), labels.flatten(), weights, ignore_index=IGNORED)


def span_loss(logits, spans, lengths):
    """The softmax reaches over each sequence's own tokens, as without padding."""
    losses = [
        F.cross_entropy(row[:length, column][None], torch.tensor([span[column]]))
        for row, span, length in zip(logits, spans, lengths, strict=True)
        for column in (0, 1)
    ]
    return torch.stack(losses).mean()


def check_against_transformers(config, backbone, start, sequences, batch, labels, spans):
    """With adapters that add nothing, the losses are those of transformers' own models."""
    zeros = {
        name: torch.zeros(shape, dtype=torch.float64)
        for name, shape in adapter_and_classifier_shapes(config, BOTTLENECK, LABELS).items()
    }
    norms = checkpoint_layer_norms(config, backbone)
    ids, type_ids, mask = batch

    def theirs(model_class, outputs, module):
        model = model_class(BertConfig(**config, num_labels=outputs, attn_implementation="eager")).double().eval()
        state = {f"bert.{name}": value for name, value in backbone.items() if not name.startswith("pooler")}
        state |= {f"{module}.{part}": start[outputs][f"classifier.{part}"].double() for part in ("weight", "bias")}
        model.load_state_dict(state)
        return model

    def ours(outputs):
        return row_logits(config, backbone, {**zeros, **norms, **{k: v.double() for k, v in start[outputs].items()}}, batch)

    with torch.no_grad():
        model = theirs(BertForTokenClassification, LABELS, "classifier")
        expected = model(ids, mask.long(), type_ids, labels=labels).loss
        assert abs(token_loss(ours(LABELS), labels) - expected) < 1e-6, "token classification differs from transformers"
        model = theirs(BertForQuestionAnswering, 2, "qa_outputs")
        each = [
            model(
                torch.tensor([sequence["ids"]]),
                token_type_ids=torch.tensor([sequence["typeIds"]]),
                start_positions=torch.tensor([span[0]]),
                end_positions=torch.tensor([span[1]]),
            ).loss
            for sequence, span in zip(sequences, spans, strict=True)
        ]
        lengths = [len(sequence["ids"]) for sequence in sequences]
        found = span_loss(ours(2), spans, lengths)
        assert abs(found - torch.stack(each).mean()) < 1e-6, "question answering differs from transformers"


def main():
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED + 1)
    config, backbone = load_checkpoint(OUTPUT / "checkpoint", torch.float64)
    parameters = load_file(OUTPUT / "parameters.safetensors")
    sequences = json.loads((OUTPUT / "batch.json").read_text())["sequences"]
    batch = padded(sequences)
    lengths = [len(sequence["ids"]) for sequence in sequences]

    # About every other token has a label.
    labels = [
        [int(torch.randint(-LABELS, LABELS, (1,), generator=generator)) for _ in range(length)] for length in lengths
    ]
    rows = [[label if label >= 0 else IGNORED for label in row] for row in labels]
    table = torch.full(batch[0].shape, IGNORED)
    for i, row in enumerate(rows):
        table[i, : len(row)] = torch.tensor(row)
    spans = []
    for length in lengths:
        first = int(torch.randint(0, length, (1,), generator=generator))
        spans.append([first, first + int(torch.randint(0, length - first, (1,), generator=generator))])
    span_head = {
        "classifier.weight": random_tensor(generator, (2, config["hidden_size"]), 0.1),
        "classifier.bias": random_tensor(generator, (2,), 0.1),
    }
    write_tensors("span_classifier.safetensors", span_head)
    token_head = {name: parameters[name] for name in span_head}
    check_against_transformers(config, backbone, {LABELS: token_head, 2: span_head}, sequences, batch, table, spans)

    tokens = trained(parameters)
    loss_tokens = token_loss(row_logits(config, backbone, tokens, batch), table)
    backward(tokens, loss_tokens)
    write_tensors("token_gradients.safetensors", gradients_of(tokens))

    weighted = trained(parameters)
    class_weights = torch.tensor(CLASS_WEIGHTS, dtype=torch.float64)
    loss_weighted = token_loss(row_logits(config, backbone, weighted, batch), table, class_weights)
    backward(weighted, loss_weighted)
    write_tensors("token_weighted_gradients.safetensors", gradients_of(weighted))

    answers = trained({**parameters, **span_head})
    loss_spans = span_loss(row_logits(config, backbone, answers, batch), spans, lengths)
    backward(answers, loss_spans)
    write_tensors("span_gradients.safetensors", gradients_of(answers))

    write_json(
        "token_heads.json",
        {
            "labels": rows,
            "tokenLoss": loss_tokens.item(),
            "classWeights": CLASS_WEIGHTS,
            "weightedTokenLoss": loss_weighted.item(),
            "spans": spans,
            "spanLoss": loss_spans.item(),
        },
    )
    print(f"tokens {loss_tokens.item():.6f}, weighted {loss_weighted.item():.6f}, spans {loss_spans.item():.6f}")


if __name__ == "__main__":
    main()
