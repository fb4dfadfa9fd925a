"""Exchanges whole tasks with Python's `adapters` 1.2.0 and `peft`: the same texts, the same answers.

    python exchange.py BACKBONE ROOT

BACKBONE is a checkpoint; ROOT/texts.json a list of texts. Loads every task in ROOT/here/*, which Graft saved, and writes what it
answers to logits.json beside it. Then makes tasks with random parameters in ROOT/there/*, each with its logits.json.
"""

import json
import sys
from pathlib import Path

import adapters
import torch
from adapters import DoubleSeqBnConfig, ParBnConfig, SeqBnConfig
from peft import IA3Config, LoraConfig, PeftModel, get_peft_model
from transformers import BertForSequenceClassification, BertTokenizer

LABELS = ["bad", "fair", "good"]


class Exchange:
    def __init__(self, backbone: str, root: Path) -> None:
        self.backbone = backbone
        self.root = root
        texts = json.loads((root / "texts.json").read_text())
        tokenizer = BertTokenizer.from_pretrained(backbone)
        self.encoded = tokenizer(texts, truncation=True, max_length=64, padding=True, return_tensors="pt")

    def model(self, labels: list) -> BertForSequenceClassification:
        return BertForSequenceClassification.from_pretrained(
            self.backbone,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
        )

    def write_logits(self, model: torch.nn.Module, directory: Path) -> None:
        model.eval()
        with torch.no_grad():
            logits = model(**self.encoded).logits
        (directory / "logits.json").write_text(json.dumps(logits.tolist()))

    def load(self, directory: Path) -> torch.nn.Module:
        if (directory / "config.json").exists():
            return BertForSequenceClassification.from_pretrained(str(directory))
        model = self.model(LABELS)
        if "peft_type" in json.loads((directory / "adapter_config.json").read_text()):
            return PeftModel.from_pretrained(model, str(directory))
        adapters.init(model)
        is_bin = (directory / "pytorch_adapter.bin").exists()
        model.set_active_adapters(model.load_adapter(str(directory), use_safetensors=not is_bin))
        return model

    def make_adapters(self, name: str, config: adapters.AdapterConfig, use_safetensors: bool = False) -> None:
        model = self.model(LABELS)
        adapters.init(model)
        model.add_adapter("demo", config=config)
        model.set_active_adapters("demo")
        randomize(model, ".adapters.")
        directory = self.root / "there" / name
        directory.mkdir(parents=True)
        model.save_adapter(str(directory), "demo", use_safetensors=use_safetensors)
        model.save_head(str(directory), use_safetensors=use_safetensors)
        self.write_logits(model, directory)

    def make_peft(self, name: str, config: LoraConfig | IA3Config, use_safetensors: bool = True) -> None:
        model = get_peft_model(self.model(LABELS), config)
        randomize(model, ".lora_", ".ia3_")
        directory = self.root / "there" / name
        model.save_pretrained(str(directory), safe_serialization=use_safetensors)
        self.write_logits(model, directory)


def randomize(model: torch.nn.Module, *parts: str) -> None:
    """Nothing that the method starts from is left: zeros, ones, a head that was just drawn."""
    for key, parameter in model.named_parameters():
        if any(part in key for part in parts) or "classifier." in key:
            mean = 1.0 if "ia3" in key else 0.0
            torch.nn.init.normal_(parameter, mean=mean, std=0.1)


def main() -> None:
    torch.manual_seed(5)
    exchange = Exchange(sys.argv[1], Path(sys.argv[2]))
    for directory in sorted((exchange.root / "here").iterdir()):
        exchange.write_logits(exchange.load(directory), directory)
    houlsby = {"non_linearity": "gelu_new", "reduction_factor": 8}
    exchange.make_adapters("adapters-bin", DoubleSeqBnConfig(**houlsby))
    exchange.make_adapters("adapters-safetensors", DoubleSeqBnConfig(**houlsby), use_safetensors=True)
    exchange.make_adapters("adapters-upper", DoubleSeqBnConfig(**houlsby, leave_out=[0]))
    exchange.make_adapters("adapters-pfeiffer", SeqBnConfig(reduction_factor=4))
    exchange.make_adapters("adapters-parallel", ParBnConfig(reduction_factor=4))
    common = {"task_type": "SEQ_CLS", "r": 4, "lora_alpha": 12}
    exchange.make_peft("peft-lora", LoraConfig(**common))
    exchange.make_peft("peft-lora-bin", LoraConfig(**common, use_rslora=True), use_safetensors=False)
    everywhere = ["query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense"]
    exchange.make_peft("peft-lora-all", LoraConfig(**common, target_modules=everywhere))
    exchange.make_peft("peft-lora-upper", LoraConfig(**common, layers_to_transform=[1], layers_pattern="layer"))
    exchange.make_peft("peft-ia3", IA3Config(task_type="SEQ_CLS"))
    paper = {"target_modules": r".*(key|value|layer\.\d+\.output\.dense)", "feedforward_modules": r".*layer\.\d+\.output\.dense"}
    exchange.make_peft("peft-ia3-bin", IA3Config(task_type="SEQ_CLS", **paper), use_safetensors=False)


if __name__ == "__main__":
    main()
