"""Readers for the texts that graft-mini is trained on, and for those it must never see.

`training_texts` yields the texts of the train splits only, without labels. `evaluation_texts` yields every sentence of
the dev and test splits: the corpus builder drops what matches them and `check_leakage.py` proves it afterwards.

Two sets of the data folder are left out on purpose: sms_spam has no split of its own, so any part that somebody holds out
would have been seen; xquad is an evaluation set.
"""

import csv
import lzma
from pathlib import Path
from typing import Iterator


def _rows(path: Path, delimiter: str = "\t") -> Iterator[list[str]]:
    """Rows of a table whose quotes are ordinary characters (GLUE's files)."""
    with path.open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield line.rstrip("\r\n").split(delimiter)


def _column(path: Path, *columns: int, header: bool) -> Iterator[str]:
    for number, row in enumerate(_rows(path)):
        if header and number == 0:
            continue
        for column in columns:
            if column < len(row) and row[column].strip():
                yield row[column].strip()


def _trec(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield line.strip().split(" ", 1)[1]


def _banking(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield " ".join(row["text"].split())


def _conll(path: Path) -> Iterator[str]:
    words: list[str] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            word = line.split("\t")[0].strip()
            if word:
                words.append(word)
            elif words:
                yield " ".join(words)
                words = []
    if words:
        yield " ".join(words)


def training_texts(data: Path) -> dict[str, list[str]]:
    """Texts of each set's train split, in file order."""
    return {
        "sst2": list(_column(data / "sst2/train.tsv", 0, header=True)),
        "cola": list(_column(data / "cola/train.tsv", 3, header=False)),
        "rte": list(_column(data / "rte/train.tsv", 1, 2, header=True)),
        "stsb": list(_column(data / "stsb/train.tsv", 7, 8, header=True)),
        "trec": list(_trec(data / "trec/train.txt")),
        "banking77": list(_banking(data / "banking77/train.csv")),
        "wnut17": list(_conll(data / "wnut17/wnut17train.conll")),
    }


def evaluation_texts(data: Path) -> dict[str, list[str]]:
    """Texts of each set's dev and test splits, in file order."""
    return {
        "sst2 dev": list(_column(data / "sst2/dev.tsv", 0, header=True)),
        "cola dev": list(_column(data / "cola/dev.tsv", 3, header=False)),
        "rte dev": list(_column(data / "rte/dev.tsv", 1, 2, header=True)),
        "stsb dev": list(_column(data / "stsb/dev.tsv", 7, 8, header=True)),
        "trec test": list(_trec(data / "trec/test.txt")),
        "banking77 test": list(_banking(data / "banking77/test.csv")),
        "wnut17 dev": list(_conll(data / "wnut17/emerging.dev.conll")),
        "wnut17 test": list(_conll(data / "wnut17/emerging.test.annotated")),
    }


def reviews(data: Path) -> Iterator[str]:
    """The film reviews, one string each, without mark-up."""
    with lzma.open(data / "corpus/imdb-reviews.txt.xz", "rt", encoding="utf-8") as lines:
        for line in lines:
            text = " ".join(line.replace("<br />", " ").split())
            if text:
                yield text
