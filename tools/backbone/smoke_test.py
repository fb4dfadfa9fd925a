#!/usr/bin/env python3
"""The whole path of graft-mini in about a minute, on a few reviews and a tiny teacher with random weights.

Builds a corpus, checks it for leakage (and that the check finds a planted sentence), embeds it, trains a few steps, stops
and goes on, exports, and probes the result. It shows that the scripts work together, not that they train well.
Without the data folder it says so and exits with 0.
Usage: smoke_test.py [--data DIR]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertModel

sys.path.insert(0, str(Path(__file__).resolve().parent))

from common import DATA, SHAPE  # noqa: E402 (found through the path set above)
from leakage import LeakageMatcher, words  # noqa: E402
from texts import evaluation_texts  # noqa: E402

HERE = Path(__file__).resolve().parent
data = DATA


def run(script: str, *arguments: object, expect: int = 0) -> str:
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != expect:
        raise AssertionError(f"{script} ended with {result.returncode}:\n{result.stdout}\n{result.stderr}")
    return result.stdout + result.stderr


def write_tiny_teacher(folder: Path) -> None:
    """A BERT of 2 layers with random weights over the student's own vocabulary."""
    folder.mkdir()
    torch.manual_seed(1)
    vocabulary = (folder.parent / "work/vocab.txt").read_text(encoding="utf-8")
    (folder / "vocab.txt").write_text(vocabulary, encoding="utf-8")
    config = BertConfig(
        vocab_size=len(vocabulary.rstrip("\n").split("\n")),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    save_file(BertModel(config).state_dict(), folder / "model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(folder)


class Matcher(unittest.TestCase):
    def setUp(self) -> None:
        self.matcher = LeakageMatcher({"set": ["It 's a charming and often affecting journey .", "one two three four five"]})

    def test_finds_repeats(self) -> None:
        self.assertEqual(self.matcher.match("it's a CHARMING, and often affecting journey!"), ("exact", "set"))
        inside = "They say it's a charming and often affecting journey, and I would agree with all of them about it"
        self.assertEqual(self.matcher.match(inside), ("ngram", "set"))
        self.assertEqual(self.matcher.match("five four three two one two"), ("jaccard", "set"))

    def test_leaves_others_alone(self) -> None:
        self.assertIsNone(self.matcher.match("one two three four eight nine"))
        self.assertIsNone(self.matcher.match("a charming journey"))

    def test_prefix_search_misses_nothing(self) -> None:
        """Against comparing every pair of sets."""
        generator = torch.Generator().manual_seed(3)
        draw = lambda: [f"w{value}" for value in torch.randint(0, 12, (6,), generator=generator).tolist()]  # noqa: E731
        evaluation = [" ".join(draw()) for _ in range(40)]
        matcher = LeakageMatcher({"set": evaluation})
        similar = 0
        for _ in range(400):
            bag = frozenset(draw())
            pairs = [frozenset(words(text)) for text in evaluation]
            expected = any(len(bag & other) >= 0.8 * len(bag | other) for other in pairs)
            similar += expected
            self.assertEqual(matcher._match_jaccard(bag) is not None, expected)
        self.assertGreater(similar, 20)


class Pipeline(unittest.TestCase):
    def test_from_text_to_backbone(self) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            work, teacher, out = folder / "work", folder / "teacher", folder / "out"
            run("build_corpus.py", "--data", data, "--work", work, "--reviews", 200, "--sentences", 300,
                "--train-texts", 150, "--vocabulary", 1200)  # fmt: skip
            self.assertIn("no evaluation sentence is in the corpus", run("check_leakage.py", "--data", data, "--work", work))
            write_tiny_teacher(teacher)
            run("teacher.py", "--teacher", teacher, "--work", work)

            train = ("pretrain.py", "--teacher", teacher, "--work", work, "--minutes", 5, "--report", 5)
            run(*train, "--tokens", 50_000)
            first = torch.load(work / "checkpoint.pt", weights_only=True)["state"]
            self.assertIn(f"going on at step {first['step']}", run(*train, "--tokens", 100_000))
            last = torch.load(work / "checkpoint.pt", weights_only=True)["state"]
            self.assertGreater(last["step"], first["step"])
            reports = [json.loads(line) for line in (work / "pretrain.jsonl").read_text().splitlines()]
            self.assertLess(reports[-1]["mlm long"], reports[0]["mlm long"])
            self.assertLess(reports[-1]["mean"], reports[0]["mean"])

            run("export.py", out, "--work", work)
            weights = load_file(out / "model.safetensors")
            self.assertEqual({weight.dtype for weight in weights.values()}, {torch.float16})
            hidden = SHAPE["hidden_size"]
            self.assertEqual(weights["pooler.dense.weight"].shape, (hidden, hidden))
            probed = run("probe.py", out, "--data", data, "--tasks", "trec", "--limit", 300)
            self.assertIn("trec", probed)
            run("random_backbone.py", folder / "random", "--vocabulary", out / "vocab.txt")
            self.assertEqual(set(load_file(folder / "random/model.safetensors")), set(weights))

            # The check must fail where a sentence did get in.
            sentence = evaluation_texts(data)["sst2 dev"][0]
            lines = (work / "corpus.tsv").read_text(encoding="utf-8").splitlines()
            lines[0] = f"short\t{sentence}"
            (work / "corpus.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
            self.assertIn("repeat an evaluation sentence", run("check_leakage.py", "--data", data, "--work", work, expect=1))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args()
    data = options.data
    if not (data / "corpus").exists():
        print(f"skipped: {data} has no corpus folder (see shared/data/SOURCES.md)")
        sys.exit(0)
    unittest.main(argv=[sys.argv[0], "-v"])
