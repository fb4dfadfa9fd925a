"""Finds texts that repeat, exactly or nearly, a sentence of an evaluation set.

A text counts as a match of an evaluation sentence where, after lower-casing and keeping only letters and digits,
- both are the same sequence of words, or
- the two share eight consecutive words, or
- the Jaccard similarity of their sets of words is at least 0.8 (a sentence of one or two words only matches exactly).

The Jaccard search is exact, not a sketch: with both sets sorted from the rarest word on, two sets of similarity t share
a word within their first |set| - ceil(t |set|) + 1 words (prefix filtering, Chaudhuri et al. 2006), so only those
candidates are compared.
"""

import math
import re
from collections import Counter

NGRAM = 8
THRESHOLD = 0.8
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> list[str]:
    """Runs of letters and digits, without case."""
    return _WORD.findall(text.casefold())


class LeakageMatcher:
    """Answers whether a text repeats one of the evaluation sentences given."""

    def __init__(self, evaluation: dict[str, list[str]]):
        self.exact: dict[str, str] = {}
        self.ngrams: dict[str, str] = {}
        self._sets: list[tuple[frozenset[str], str]] = []
        tokenised = [(name, words(text)) for name, texts in evaluation.items() for text in texts]
        self._frequency = Counter(word for _, sentence in tokenised for word in set(sentence))
        self._prefixes: dict[str, list[int]] = {}
        for name, sentence in tokenised:
            if not sentence:
                continue
            self.exact.setdefault(" ".join(sentence), name)
            for start in range(len(sentence) - NGRAM + 1):
                self.ngrams.setdefault(" ".join(sentence[start : start + NGRAM]), name)
            if len(sentence) > 2:
                bag = frozenset(sentence)
                for word in self._prefix(bag):
                    self._prefixes.setdefault(word, []).append(len(self._sets))
                self._sets.append((bag, name))

    def _prefix(self, bag: frozenset[str]) -> list[str]:
        # A word unknown to the evaluation sets is the rarest of all, so it comes first.
        order = sorted(bag, key=lambda word: (self._frequency[word], word))
        return order[: len(bag) - math.ceil(THRESHOLD * len(bag) - 1e-9) + 1]

    def ngram_positions(self, sentence: list[str]) -> list[int]:
        """Start positions in a list of words at which an evaluation sentence's eight words begin."""
        return [
            start
            for start in range(len(sentence) - NGRAM + 1)
            if " ".join(sentence[start : start + NGRAM]) in self.ngrams
        ]

    def match(self, text: str) -> tuple[str, str] | None:
        """(kind of match, evaluation set), or None. Kinds: exact, ngram, jaccard."""
        sentence = words(text)
        if not sentence:
            return None
        name = self.exact.get(" ".join(sentence))
        if name is not None:
            return "exact", name
        for start in self.ngram_positions(sentence):
            return "ngram", self.ngrams[" ".join(sentence[start : start + NGRAM])]
        return self._match_jaccard(frozenset(sentence))

    def _match_jaccard(self, bag: frozenset[str]) -> tuple[str, str] | None:
        seen: set[int] = set()
        for word in self._prefix(bag):
            for index in self._prefixes.get(word, ()):
                if index in seen:
                    continue
                seen.add(index)
                other, name = self._sets[index]
                shared = len(bag & other)
                if shared >= THRESHOLD * (len(bag) + len(other) - shared) - 1e-9:
                    return "jaccard", name
        return None
