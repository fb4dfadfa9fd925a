"""Writes test/golden/spans.json: where Hugging Face's tokenizers say that tokens come from, windows of long pairs, and words.

    pip install tokenizers==0.22.2 transformers==4.57.6
    python test/golden/spans.py SHARED      # SHARED holds data/, see test/support/shared.ts

Digests as tokenizer.py describes them, of these rows of whole numbers:
    spans:    of a text: start and end of each token, without special ones, in UTF-16 code units
    windows:  of a window: its ids, then start and end of each token of the context (0, 0 for others)
    words:    of a list of words: its ids, then each token's word, 2^32 - 1 for special ones
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.processors import RobertaProcessing
from transformers import BertTokenizerFast, RobertaTokenizerFast

from byte_pair import POOL as BYTE_PAIR_POOL, every_pair, read_files, roberta
from tokenizer import MODELS, data_sets, random_texts, synthetic

OUTPUT = Path(__file__).with_name("spans.json")
CHUNK = 500
MOST_TEXTS = 4000
NONE = 2**32 - 1
# maximum length, stride
WINDOWS = [(192, 64), (160, 0), (384, 128)]


def digest(rows, chunk=CHUNK):
    chunks = []
    for start in range(0, len(rows), chunk):
        sha = hashlib.sha256()
        for row in rows[start : start + chunk]:
            sha.update(struct.pack(f"<{len(row) + 1}I", len(row), *row))
        chunks.append(sha.hexdigest()[:12])
    return {"texts": len(rows), "tokens": sum(map(len, rows)), "chunks": " ".join(chunks)}


def units(text):
    """Where each code point begins in UTF-16, and the end."""
    places = [0]
    for character in text:
        places.append(places[-1] + (2 if ord(character) > 0xFFFF else 1))
    return places


def span_rows(tokenizer, texts):
    rows = []
    for text, encoding in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False)):
        place = units(text)
        rows.append([place[end] for span in encoding.offsets for end in span])
    return rows


def xquad(data, language):
    articles = json.loads((data / f"xquad/xquad.{language}.json").read_text())["data"]
    paragraphs = [paragraph for article in articles for paragraph in article["paragraphs"]]
    return [(qa["question"], paragraph["context"]) for paragraph in paragraphs for qa in paragraph["qas"]]


def window_rows(fast, pairs, length, stride):
    rows = []
    for question, context in pairs:
        place = units(context)
        found = fast(
            question, context, truncation="only_second", max_length=length, stride=stride,
            return_overflowing_tokens=True, return_offsets_mapping=True,
        )  # fmt: skip
        for i, ids in enumerate(found["input_ids"]):
            spans = zip(found["offset_mapping"][i], found.sequence_ids(i))
            rows.append([*ids, *(place[end] if text == 1 else 0 for span, text in spans for end in span)])
    return rows


def wnut(data, name):
    texts = [[]]
    for line in (data / "wnut17" / name).read_text().split("\n"):
        if line.strip():
            texts[-1].append(line.split("\t")[0])
        else:
            texts.append([])
    return [words for words in texts if words]


def word_rows(fast, texts, length):
    rows = []
    for words in texts:
        found = fast(words, is_split_into_words=True, truncation=True, max_length=length)
        rows.append([*found["input_ids"], *(NONE if word is None else word for word in found.word_ids())])
    return rows


def main():
    data = Path(sys.argv[1]) / "data"
    sets = {name: texts[:MOST_TEXTS] for name, texts in data_sets(data).items() if name != "normalization"}
    sets["normalization"] = data_sets(data)["normalization"]
    golden = {"most": MOST_TEXTS, "real": {}, "windows": {}, "words": {}, "synthetic": []}

    fasts = {}
    for name, (folder, lowercase, strip_accents) in MODELS.items():
        path = str(data / "vocab" / folder / "vocab.txt")
        fasts[name] = BertTokenizerFast(path, do_lower_case=lowercase, strip_accents=strip_accents)
    directory = data / "vocab" / "roberta-base"
    files = str(directory / "vocab.json"), str(directory / "merges.txt")
    fasts["roberta"] = RobertaTokenizerFast(*files)
    fasts["roberta, prefix space"] = RobertaTokenizerFast(*files, add_prefix_space=True)
    for name, fast in fasts.items():
        golden["real"][name] = {key: digest(span_rows(fast.backend_tokenizer, texts)) for key, texts in sets.items()}

    for name, language in [("uncased", "en"), ("multilingual", "hi"), ("multilingual", "ar"), ("chinese", "zh"), ("roberta", "en")]:
        golden["windows"][f"{name} {language}"] = [
            {"maxLength": length, "stride": stride, **digest(window_rows(fasts[name], xquad(data, language), length, stride))}
            for length, stride in WINDOWS
        ]
    for name in ["uncased", "cased", "multilingual", "roberta, prefix space"]:
        texts = wnut(data, "emerging.dev.conll") + wnut(data, "wnut17train.conll")
        golden["words"][name] = {"maxLength": 48, **digest(word_rows(fasts[name], texts, 48))}

    points = [f"a{chr(c)}b" for c in range(0x110000) if not 0xD800 <= c < 0xE000 and (c < 0x3000 or c % 16 == 0)]
    mixed = random_texts(20_000)
    for lowercase, strip_accents, chinese in [(False, False, True), (False, True, True), (True, False, True), (True, True, False)]:
        tokenizer = synthetic(lowercase, strip_accents, chinese)
        golden["synthetic"].append(
            {
                "lowercase": lowercase,
                "stripAccents": strip_accents,
                "handleChineseCharacters": chinese,
                "codePoints": digest(span_rows(tokenizer, points)),
                "mixed": digest(span_rows(tokenizer, mixed)),
            }
        )
    # As transformers has it: post-processor and pre-tokenizer agree.
    def processed(vocabulary, merges, add_prefix_space=False):
        tokenizer = roberta(vocabulary, merges, add_prefix_space)
        ends = [(token, vocabulary[token]) for token in ("</s>", "<s>")]
        tokenizer.post_processor = RobertaProcessing(*ends, trim_offsets=True, add_prefix_space=add_prefix_space)
        return tokenizer

    vocabulary, merges = read_files(OUTPUT.with_name("byte_pair"))
    mixed = random_texts(20_000, BYTE_PAIR_POOL)
    golden["bytePair"] = {
        "small": digest(span_rows(processed(vocabulary, merges), mixed)),
        "prefixSpace": digest(span_rows(processed(vocabulary, merges, True), mixed)),
        "everyPair": digest(span_rows(processed(*every_pair()), mixed)),
    }
    other = Tokenizer.from_file(str(OUTPUT.parent / "byte_pair" / "added_tokens.json"))
    pieces = ["ab", "abc", "k<ma", "<mask>", "1", " ", "\u3000", "the", "\n"]
    meetings = [a + b + c + d for a in pieces for b in pieces for c in pieces for d in pieces]
    golden["bytePair"]["addedTokens"] = digest(span_rows(other, meetings))
    OUTPUT.write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
