"""Hugging Face's tokenizers, in Rust, through Python, as a contestant."""

import json
import os
import time
from pathlib import Path

from serve import serve


def tokenizer(job):
    from tokenizers import BertWordPieceTokenizer, __version__

    inputs = Path(job["inputs"])
    threads = job["settings"]["threads"]
    # Read when a batch is encoded first.
    os.environ["TOKENIZERS_PARALLELISM"] = "true" if threads == "all" else "false"
    loaded = BertWordPieceTokenizer(str(inputs / "encoder" / "vocab.txt"), lowercase=True)
    texts = json.loads((inputs / "tokenizer.json").read_text())["texts"]

    def measure():
        started = time.perf_counter()
        loaded.encode_batch(texts)
        return {"milliseconds": (time.perf_counter() - started) * 1000}

    check = [id for encoding in loaded.encode_batch(texts) for id in encoding.ids]
    count = os.cpu_count() if threads == "all" else 1
    return f"tokenizers {__version__}, Rust, encode_batch, threads: {count}", check, measure


if __name__ == "__main__":
    serve({"tokenizer": tokenizer})
