"""Writes the small checkpoints in test/golden/checkpoints: one BERT, stored in each way that Graft reads.

Run with torch, transformers, safetensors and tokenizers installed:  python test/golden/checkpoints.py
"""

import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer
from transformers import BertConfig, BertForSequenceClassification, BertModel

HERE = Path(__file__).parent / "checkpoints"
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmno", "##a", "##b"]

CONFIG = BertConfig(
    vocab_size=24,  # two more rows than tokens: padded embeddings are allowed
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=16,
    max_position_embeddings=12,
    hidden_act="gelu",
)


def write_config(directory: Path) -> None:
    directory.mkdir(parents=True)
    CONFIG.save_pretrained(directory)


def write_vocabulary(directory: Path) -> None:
    (directory / "vocab.txt").write_text("\n".join(TOKENS) + "\n")


def contiguous(tensors: dict, dtype: torch.dtype) -> dict:
    return {name: tensor.to(dtype).contiguous() for name, tensor in tensors.items()}


def main() -> None:
    shutil.rmtree(HERE, ignore_errors=True)
    torch.manual_seed(0)
    plain = BertModel(CONFIG).state_dict()
    position_ids = {"embeddings.position_ids": torch.arange(12).unsqueeze(0)}

    # The reference: names of BertModel, f32.
    write_config(HERE / "f32")
    write_vocabulary(HERE / "f32")
    save_file({**contiguous(plain, torch.float32), **position_ids}, HERE / "f32" / "model.safetensors")

    # Halves, and what PyTorch makes of them in f32.
    for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        write_config(HERE / name)
        write_vocabulary(HERE / name)
        halves = contiguous(plain, dtype)
        save_file(halves, HERE / name / "model.safetensors")
        save_file(contiguous(halves, torch.float32), HERE / name / "expected_f32.safetensors")

    # With a head, so with the prefix `bert.`; the names of LayerNorm as TensorFlow's checkpoints have them.
    write_config(HERE / "prefixed_old_names")
    write_vocabulary(HERE / "prefixed_old_names")
    model = BertForSequenceClassification(CONFIG)
    model.bert.load_state_dict(plain)
    renamed = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): tensor
        for name, tensor in model.state_dict().items()
    }
    save_file(contiguous(renamed, torch.float32), HERE / "prefixed_old_names" / "model.safetensors")

    # In shards, as transformers writes them; no pooler; a tokenizer.json instead of a vocab.txt.
    write_config(HERE / "sharded")
    write_vocabulary(HERE / "sharded")
    bare = BertModel(CONFIG, add_pooling_layer=False)
    bare.load_state_dict({name: tensor for name, tensor in plain.items() if not name.startswith("pooler.")})
    bare.save_pretrained(HERE / "sharded", max_shard_size=4000)
    tokenizer = BertWordPieceTokenizer(str(HERE / "sharded" / "vocab.txt"), lowercase=False, strip_accents=True)
    tokenizer.save(str(HERE / "sharded" / "tokenizer.json"))
    (HERE / "sharded" / "vocab.txt").unlink()

    # Every kind of half: zeros, subnormals, normals, the largest, infinities, NaN.
    patterns = [0x0000, 0x8000, 0x0001, 0x03FF, 0x0400, 0x3C00, 0xBC01, 0x7BFF, 0x7C00, 0xFC00, 0x7E00]
    bits = torch.tensor(patterns, dtype=torch.int32).to(torch.int16)
    halves = {"f16": bits.clone().view(torch.float16), "bf16": bits.clone().view(torch.bfloat16)}
    special = HERE / "special_values"
    special.mkdir()
    save_file(halves, special / "halves.safetensors")
    save_file({name: tensor.to(torch.float32) for name, tensor in halves.items()}, special / "expected_f32.safetensors")

    for file in HERE.glob("*/*.safetensors"):
        file.chmod(0o644)  # safetensors makes them readable by their owner alone


if __name__ == "__main__":
    main()
