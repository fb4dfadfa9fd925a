"""Exchanges tasks whose heads have a row for each token with Python's `adapters` 1.2.0: the same texts, the same logits.

    python exchange_tokens.py BACKBONE ROOT

ROOT/inputs.json holds `texts` (lists of words, each one token) and `questions` ([question, context]). Loads every task in ROOT/here/*,
which Graft saved, and writes its logits to logits.json beside it, [inputs, tokens, C]. Then makes tasks with random parameters in
ROOT/there/*: the library's own heads (tagging, questions), and those of transformers' models (…-plain).
"""

import json
import sys
from pathlib import Path

import adapters
import torch
from adapters import AutoAdapterModel, SeqBnConfig
from transformers import BertForQuestionAnswering, BertForTokenClassification, BertTokenizer

LABELS = ["B-x", "I-x", "O"]


def randomize(model):
    for key, parameter in model.named_parameters():
        if any(part in key for part in (".adapters.", "heads.", "classifier.", "qa_outputs.")):
            torch.nn.init.normal_(parameter, std=0.1)


def main():
    torch.manual_seed(7)
    backbone, root = sys.argv[1], Path(sys.argv[2])
    inputs = json.loads((root / "inputs.json").read_text())
    tokenizer = BertTokenizer.from_pretrained(backbone)

    def write(model, directory, is_tagging):
        model.eval()
        given = [(" ".join(words),) for words in inputs["texts"]] if is_tagging else inputs["questions"]
        rows = []
        for texts in given:
            with torch.no_grad():
                output = model(**tokenizer(*texts, return_tensors="pt"))
            logits = output.logits if is_tagging else torch.stack([output.start_logits, output.end_logits], -1)
            rows.append(logits[0].tolist())
        (directory / "logits.json").write_text(json.dumps(rows))

    for directory in sorted((root / "here").iterdir()):
        model = AutoAdapterModel.from_pretrained(backbone)
        model.set_active_adapters(model.load_adapter(str(directory), use_safetensors=True))
        assert len(model.heads) == 1
        write(model, directory, directory.name == "token-classification")

    def save(model, name, *head):
        model.add_adapter("demo", config=SeqBnConfig(reduction_factor=8))
        model.set_active_adapters("demo")
        randomize(model)
        directory = root / "there" / name
        directory.mkdir(parents=True)
        model.save_adapter(str(directory), "demo", use_safetensors=True)
        model.save_head(str(directory), *head, use_safetensors=True)
        write(model, directory, name.startswith("tagging"))

    for name in ("tagging", "questions"):
        model = AutoAdapterModel.from_pretrained(backbone)
        if name == "tagging":
            model.add_tagging_head("demo", num_labels=3, id2label=dict(enumerate(LABELS)))
        else:
            model.add_qa_head("demo")
        save(model, name, "demo")
        plain = BertForTokenClassification if name == "tagging" else BertForQuestionAnswering
        outputs = {"num_labels": 3, "id2label": dict(enumerate(LABELS)), "label2id": {label: i for i, label in enumerate(LABELS)}} if name == "tagging" else {}
        model = plain.from_pretrained(backbone, **outputs)
        adapters.init(model)
        save(model, f"{name}-plain")


if __name__ == "__main__":
    main()
