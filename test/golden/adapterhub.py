"""Exchanges adapters with the Python library `adapters` 1.2.0.

    python adapterhub.py load ROOT    loads every adapter in ROOT/*, as large as its sizes.json says, and writes what the
                                      model then holds to loaded.safetensors and loaded.json beside it
    python adapterhub.py predict ROOT runs every adapter in ROOT/* on the checkpoint and the texts that its request.json names, and
                                      writes the logits to logits.json beside it. Needs transformers 4.51
    python adapterhub.py save         writes the fixtures in test/golden/adapterhub, for Graft to read. The one with a
                                      head of BertAdapterModel needs transformers 4.51, which that library was made for
"""

import json
import shutil
import sys
from pathlib import Path

import adapters
import torch
import transformers
from adapters import DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from safetensors.torch import save_file
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast, RobertaTokenizerFast

HERE = Path(__file__).parent / "adapterhub"


def make_config(hidden: int, layers: int, labels: int) -> BertConfig:
    return BertConfig(
        vocab_size=16,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=1,
        intermediate_size=16,
        max_position_embeddings=8,
        num_labels=labels,
    )


def load(directory: Path) -> None:
    sizes = json.loads((directory / "sizes.json").read_text())
    model = BertForSequenceClassification(make_config(sizes["hidden"], sizes["layers"], sizes["labels"]))
    adapters.init(model)
    info: dict = {}
    name = model.load_adapter(str(directory), use_safetensors=True, loading_info=info)
    model.set_active_adapters(name)
    model.eval()
    if transformers.__version__.startswith("4.51."):
        # With later versions the library loads and saves, but its models cannot run.
        with torch.no_grad():
            logits = model(torch.arange(6).unsqueeze(0)).logits
        assert logits.isfinite().all() and logits.shape == (1, sizes["labels"])
    # Looking for the adapter's tensors it counts the head's as unexpected, and the other way round.
    unexpected = set(info["unexpected_keys"])
    sites = [layer.output.adapters for layer in model.bert.encoder.layer]
    layers = [number for number, adapters_there in enumerate(sites) if name in adapters_there]
    site = sites[layers[0]][name]
    activation = site.non_linearity.f(torch.linspace(-4, 4, 9))
    state = {key: tensor.detach().clone() for key, tensor in model.state_dict().items()}
    save_file(state, directory / "loaded.safetensors")
    report = {
        "active": str(model.active_adapters),
        "missing": info["missing_keys"],
        "unknown": sorted(key for key in unexpected if key not in state),
        "label2id": model.config.label2id,
        "activation": activation.tolist(),
        "scaling": site.scaling,
        "layers": layers,
    }
    (directory / "loaded.json").write_text(json.dumps(report))


def predict(directory: Path) -> None:
    request = json.loads((directory / "request.json").read_text())
    checkpoint = Path(request["checkpoint"])
    model = adapters.AutoAdapterModel.from_pretrained(checkpoint)
    info: dict = {}
    name = model.load_adapter(str(directory), use_safetensors=True, loading_info=info)
    model.set_active_adapters(name)
    model.eval()
    if model.config.model_type == "roberta":
        tokenizer = RobertaTokenizerFast(str(checkpoint / "vocab.json"), str(checkpoint / "merges.txt"))
    else:
        tokenizer = BertTokenizerFast(str(checkpoint / "vocab.txt"))
    logits = []
    for texts in request["texts"]:
        inputs = tokenizer(*texts, truncation=True, max_length=request["maxLength"], return_tensors="pt")
        if model.config.model_type == "distilbert":
            inputs.pop("token_type_ids")
        with torch.no_grad():
            logits.append(model(**inputs).logits[0].tolist())
    state = model.state_dict()
    report = {
        "logits": logits,
        "head": str(model.active_head),
        "headType": model.heads[model.active_head].config["head_type"],
        "missing": info["missing_keys"],
        "unknown": sorted(key for key in info["unexpected_keys"] if key not in state),
    }
    (directory / "logits.json").write_text(json.dumps(report))


def save(style: str) -> None:
    torch.manual_seed(1)
    hidden, layers, bottleneck, labels = 8, 2, 3, {"bad": 0, "fair": 1, "good": 2}
    directory = HERE / style
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    config = make_config(hidden, layers, len(labels))
    config.label2id, config.id2label = labels, {number: label for label, number in labels.items()}
    if style in ("flexible_head", "multi_label_head"):
        model = adapters.BertAdapterModel(config)
        head = {"num_labels": 3, "layers": 1, "use_pooler": True, "id2label": config.id2label}
        model.add_classification_head("demo", multilabel=style == "multi_label_head", **head)
    else:
        model = BertForSequenceClassification(config)
        adapters.init(model)
    factor = hidden / (bottleneck + 0.5)
    if style in ("pfeiffer", "parallel"):
        kind = SeqBnConfig if style == "pfeiffer" else ParBnConfig
        model.add_adapter("demo", config=kind(reduction_factor=factor, leave_out=[0]))
    else:
        model.add_adapter("demo", config=DoubleSeqBnConfig(non_linearity="gelu_new", reduction_factor=factor))
    model.set_active_adapters("demo")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    use_safetensors = style != "bin"
    model.save_adapter(str(directory), "demo", use_safetensors=use_safetensors)
    if style not in ("flexible_head", "multi_label_head"):
        model.save_head(str(directory), use_safetensors=use_safetensors)
    for file in directory.iterdir():
        file.chmod(0o644)


if __name__ == "__main__":
    if sys.argv[1] in ("load", "predict"):
        for path in sorted(Path(sys.argv[2]).iterdir()):
            (load if sys.argv[1] == "load" else predict)(path)
    else:
        for style in ("plain_head", "flexible_head", "multi_label_head", "pfeiffer", "parallel", "bin"):
            save(style)
