"""Writes assembly/tokenizer/unicode-data.ts: what BERT's tokenizer does with each code point.

    pip install tokenizers==0.22.2
    python tools/unicode/generate.py            # rewrites the file
    python tools/unicode/generate.py --check    # exits 1 if the file is not what this script would write

Hugging Face's `tokenizers` mixes several Unicode versions: its category tables are older than its lower-casing, and its
decompositions lie between the two (docs/tokenizer.md). No one release of Unicode gives its ids, so the tables are read off its
own normalizer and pre-tokenizer, one code point at a time.

The output is a byte stream of six sections, each a list closed by a zero count or gap; `unicode.ts` expands it once per
vocabulary. `v` is an unsigned LEB128 number, `z` a zigzag-coded signed one.
    classes:  for each class 1..: v(ranges), then ranges × { v(start - previous end), v(length) }
    lower:    v(groups), then groups × { v(start - previous last), v(length), v(stride), z(lower - upper) }
    fold:     v(entries), then entries × { v(code point - previous), z(target - previous target) }
    several:  v(entries), then entries × { v(code point - previous), v(n), n × z(target - code point) }
    marks:    v(entries), then entries × { v(code point - previous), v(canonical combining class) }
    accents:  v(ranges), then ranges × { v(start - previous end), v(length), v(combining class) } of those that are stripped; a class
              that no mark has is the next one above the marks' class below it, which sorts it the same way among them
"""

import sys
import unicodedata
from pathlib import Path

import tokenizers
from tokenizers.normalizers import NFD, BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

TOKENIZERS = "0.22.2"
OUTPUT = Path(__file__).resolve().parents[2] / "assembly" / "tokenizer" / "unicode-data.ts"

# The order is the numbering: unicode.ts has the same names.
DROPPED, SPACE, PUNCTUATION, CHINESE, ACCENT, ACCENT_STARTER, MARK = range(1, 8)
HANGUL = range(0xAC00, 0xD7A4)


def normalizer(**only):
    flags = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return BertNormalizer(**{**flags, **only}).normalize_str


def code_points():
    return (c for c in range(0x110000) if not 0xD800 <= c < 0xE000)


def combining_classes(nfd):
    """Canonical combining classes as the normalizer knows them: 0 for what came after its Unicode version."""
    representative = {}
    for c in code_points():
        k = unicodedata.combining(chr(c))
        # U+0345 has the highest class, 240: whatever combines moves before it.
        if k and c != 0x345 and nfd("\u0345" + chr(c)) == chr(c) + "\u0345":
            representative.setdefault(k, chr(c))
    classes = {0x345: 240}
    for c in code_points():
        char = chr(c)
        if nfd(char) != char or nfd("\u0345" + char) == "\u0345" + char:
            continue
        k = unicodedata.combining(char)
        for other, witness in representative.items():
            moved = nfd(witness + char) == char + witness
            assert witness == char or moved == (k < other), f"U+{c:04X}: combining class is not {k}"
        classes[c] = k
    return classes


def probe():
    """What happens to each code point between two letters, from the library itself."""
    clean, chinese = normalizer(clean_text=True), normalizer(handle_chinese_chars=True)
    strip, lower, nfd = normalizer(strip_accents=True), normalizer(lowercase=True), NFD().normalize_str
    split = BertPreTokenizer().pre_tokenize_str
    combining = combining_classes(nfd)

    classes, fold, lowered = {}, {}, {}
    for c in code_points():
        char = chr(c)

        def between(function):
            result = function(f"a{char}b")
            assert result[0] == "a" and result[-1] == "b", f"U+{c:04X} touches its neighbours"
            return result[1:-1]

        words = [word for word, _ in split(f"a{char}b")]
        cleaned, stripped = between(clean), between(strip)
        if cleaned == "":
            classes[c] = DROPPED
            continue
        if words == ["a", "b"]:
            assert cleaned == " "
            classes[c] = SPACE
            continue
        assert cleaned == char
        if between(chinese) != char:
            assert between(chinese) == f" {char} " and words == [f"a{char}b"]
            classes[c] = CHINESE
        elif stripped == "":
            assert words == [f"a{char}b"] and between(lower) == char
            starter = any(ord(x) not in combining for x in nfd(char))
            classes[c] = ACCENT_STARTER if starter else ACCENT
        elif words == ["a", char, "b"]:
            assert c not in combining
            classes[c] = PUNCTUATION
        else:
            assert words == [f"a{char}b"]
            if c in combining:
                assert between(lower) == char
                classes[c] = MARK
        if between(lower) != char:
            lowered[c] = [ord(x) for x in between(lower)]
        if stripped not in (char, "") and c not in HANGUL:
            fold[c] = [ord(x) for x in stripped]
        if stripped:
            # A starter that is stripped would end a run of marks unseen; one that is kept ends it as well.
            kept = [ord(x) for x in stripped]
            assert c in combining or any(x not in combining for x in kept), f"U+{c:04X}"

    check(classes, fold, lowered, strip)
    return classes, fold, lowered, combining


def check(classes, fold, lowered, strip):
    """What unicode.ts and basic.ts take for granted."""
    for c, targets in [*fold.items(), *lowered.items()]:
        for target in targets:
            assert target == c or classes.get(target) not in (DROPPED, ACCENT_STARTER), f"U+{c:04X}"
            assert target not in fold or c in lowered, f"U+{c:04X}: its decomposition is not complete"
        # Tokens of a text never outnumber its bytes: the module sizes its output by that.
        kept = [t for t in targets if classes.get(t) != ACCENT or c in lowered]
        assert len(kept) <= len(chr(c).encode()), f"U+{c:04X} grows"
        if classes.get(c) == CHINESE:
            assert len(targets) == 1
        else:
            assert all(classes.get(t) != CHINESE for t in targets)
    for c, targets in lowered.items():
        assert classes.get(c) is None and all(classes.get(t) in (None, ACCENT) for t in targets)
    for c in HANGUL:  # The Unicode Standard, section 3.12
        index = c - 0xAC00
        jamo = [0x1100 + index // 588, 0x1161 + index % 588 // 28] + ([0x11A7 + index % 28] if index % 28 else [])
        assert strip(f"a{chr(c)}b") == "a" + "".join(map(chr, jamo)) + "b"
    assert [c for c, targets in lowered.items() if len(targets) > 1] == [0x130]


def leb(n):
    assert n >= 0
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    out.append(n)
    return bytes(out)


def zigzag(n):
    return leb(n << 1 if n >= 0 else (-n << 1) - 1)


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c:
            out[-1][1] = c + 1
        else:
            out.append([c, c + 1])
    return out


def leb_ranges(points):
    """v(ranges), then ranges × { v(start - previous end), v(length) }"""
    found = ranges(points)
    out = leb(len(found))
    end = 0
    for first, after in found:
        out += leb(first - end) + leb(after - first)
        end = after
    return out


def lower_groups(single):
    """[first, count, stride, delta]: runs of capitals with one distance to their small letters."""
    groups = []
    for c in sorted(single):
        delta = single[c] - c
        if groups:
            first, count, stride, d = groups[-1]
            step = c - (first + (count - 1) * stride)
            if d == delta and step in (1, 2) and (count == 1 or step == stride):
                groups[-1] = [first, count + 1, step, d]
                continue
        groups.append([c, 1, 1, delta])
    return groups


def accent_ranges(classes, combining):
    """[start, end, class]: an accent that decomposes goes by its first part."""
    marks = sorted({combining[c] for c, k in classes.items() if k == MARK})
    nfd = NFD().normalize_str
    found = []
    for c in sorted(c for c, k in classes.items() if k == ACCENT):
        own = combining[ord(nfd(chr(c))[0])]
        k = own if own in marks else max((mark for mark in marks if mark < own), default=0) + 1
        if found and found[-1][1:] == [c, k]:
            found[-1][1] = c + 1
        else:
            found.append([c, c + 1, k])
    return found


def encode(classes, fold, lowered, combining):
    out = bytearray()
    for wanted in range(DROPPED, MARK + 1):
        out += leb_ranges(c for c, k in classes.items() if k == wanted)

    groups = lower_groups({c: targets[0] for c, targets in lowered.items() if len(targets) == 1})
    out += leb(len(groups))
    last = 0
    for first, count, stride, delta in groups:
        out += leb(first - last) + leb(count) + leb(stride) + zigzag(delta)
        last = first + (count - 1) * stride

    single = {c: targets[0] for c, targets in fold.items() if len(targets) == 1}
    out += leb(len(single))
    last = previous = 0
    for c in sorted(single):
        out += leb(c - last) + zigzag(single[c] - previous)
        last, previous = c, single[c]

    several = {c: targets for c, targets in fold.items() if len(targets) > 1}
    out += leb(len(several))
    last = 0
    for c in sorted(several):
        out += leb(c - last) + leb(len(several[c]))
        last = c
        for target in several[c]:
            out += zigzag(target - c)

    marks = [c for c, k in classes.items() if k == MARK]
    out += leb(len(marks))
    last = 0
    for c in sorted(marks):
        out += leb(c - last) + leb(combining[c])
        last = c

    accents = accent_ranges(classes, combining)
    out += leb(len(accents))
    end = 0
    for first, after, k in accents:
        out += leb(first - end) + leb(after - first) + leb(k)
        end = after
    return bytes(out)


def numbers(data):
    """Bytes as the lines of a list, as wide as the formatter leaves them."""
    lines, line = [], " "
    for number in map(str, data):
        if len(line) + len(number) + 2 > 110:
            lines.append(line)
            line = " "
        line += f" {number},"
    lines.append(line)
    return "\n".join(lines)


def source(data):
    return f"""// Written by tools/unicode/generate.py from tokenizers {TOKENIZERS}: the sections are described there. Do not edit.

/** Where the {len(data):,} bytes lie. */
export const UNICODE_DATA: usize = memory.data<u8>([
{numbers(data)}
]);
"""


def main():
    assert tokenizers.__version__ == TOKENIZERS, f"needs tokenizers {TOKENIZERS}, not {tokenizers.__version__}"
    text = source(encode(*probe()))
    if "--check" in sys.argv:
        sys.exit(0 if OUTPUT.read_text() == text else f"{OUTPUT.name} is out of date")
    OUTPUT.write_text(text)


if __name__ == "__main__":
    main()
