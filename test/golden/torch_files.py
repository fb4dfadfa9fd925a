"""Writes the files in test/golden/torch: one state dict as `torch.save` stores it, in each of its forms.

Run with torch, transformers and safetensors installed:  python test/golden/torch_files.py
"""

import json
import shutil
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
OUT = HERE / "torch"


def state_dict() -> OrderedDict:
    torch.manual_seed(2)
    shared = torch.randn(4, 6)
    block = torch.randn(3, 4, 5)
    tensors = OrderedDict(
        plain=torch.randn(3, 5),
        scalar=torch.tensor(2.5),
        empty=torch.empty(0, 7),
        transposed=torch.randn(5, 3).t(),
        permuted=block.permute(2, 0, 1),
        sliced=shared[1:3, 1:6:2],
        tied=shared,
        row=shared[3],
        turned=shared.t(),
        single=torch.randn(1, 6).expand(1, 6),
        half=torch.randn(7).half(),
        bfloat=torch.randn(2, 3).bfloat16().t(),
        double=torch.randn(2, 2).double(),
        ids=torch.arange(5).unsqueeze(0),
        mask=torch.tensor([True, False]),
        bytes=torch.tensor([1, 2, 3], dtype=torch.uint8),
        parameter=torch.nn.Parameter(torch.randn(4)),
    )
    tensors["ünicode"] = torch.randn(2)
    # What torch.nn.Module.state_dict() adds, and what a training loop may.
    tensors._metadata = OrderedDict({"": {"version": 1}})
    tensors["epoch"] = 3
    tensors["history"] = [0.5, (1, None, True), {"size": torch.Size([2, 3]), "big": -(2**40)}]
    return tensors


def checkpoint() -> None:
    """The BERT of checkpoints/prefixed_old_names as a .bin, and as shards of the new form."""
    weights = load_file(HERE / "checkpoints" / "prefixed_old_names" / "model.safetensors")
    for name in ("bin", "bin_sharded"):
        directory = OUT / name
        directory.mkdir()
        for file in ("config.json", "vocab.txt"):
            shutil.copy(HERE / "checkpoints" / "prefixed_old_names" / file, directory / file)
    torch.save(weights, OUT / "bin" / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    names = sorted(weights)
    shards = {"pytorch_model-00001-of-00002.bin": names[:20], "pytorch_model-00002-of-00002.bin": names[20:]}
    for shard, held in shards.items():
        torch.save({name: weights[name].clone() for name in held}, OUT / "bin_sharded" / shard)
    index = {"metadata": {}, "weight_map": {name: shard for shard, held in shards.items() for name in held}}
    (OUT / "bin_sharded" / "pytorch_model.bin.index.json").write_text(json.dumps(index))


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    tensors = state_dict()
    torch.save(tensors, OUT / "zip.bin")
    torch.save(tensors, OUT / "protocol_4.bin", pickle_protocol=4)
    torch.save(tensors, OUT / "legacy.bin", _use_new_zipfile_serialization=False)
    torch.save(torch.nn.Linear(2, 2), OUT / "whole_module.bin")
    floats = {name: tensor for name, tensor in tensors.items() if torch.is_tensor(tensor) and tensor.is_floating_point()}
    save_file({name: tensor.detach().float().contiguous().clone() for name, tensor in floats.items()}, OUT / "expected.safetensors")
    checkpoint()
    for file in OUT.rglob("*"):
        file.chmod(0o755 if file.is_dir() else 0o644)


if __name__ == "__main__":
    main()
