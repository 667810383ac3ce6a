"""Share codes."""

import itertools
import random

import pytest
from sharekey import code, primitives
from sharekey.errors import CodeRefused

EXAMPLES = {
    "0000-0000-0000-0000-0000": "7cc210f54669631f3ee9e47062df9e641c28e9f9136fc4a248b0d3d951092523",
    "7K3Q-XM9T-FR2A-W8BC-4DFY": "0895c1940b44b7a4132fb6a901f591ff3bd34f5948337d4d8e5c39210c9767cd",
    "ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZRM": "344dc4fd7055608050fe8b7fa156ced4de622d8b69cdb37f56b04b4367a33d4b",
}


def name_of(typed):
    with pytest.raises(CodeRefused) as bad:
        code.read(typed)
    return bad.value.name


@pytest.mark.parametrize("shown,seed", EXAMPLES.items())
def test_examples(shown, seed):
    symbols = code.read(shown)
    assert code.show(symbols) == shown
    assert code.subject_seed(symbols).hex() == seed


def test_example_key_and_no_code():
    key = primitives.public_key(bytes.fromhex(EXAMPLES["7K3Q-XM9T-FR2A-W8BC-4DFY"]))
    assert key.hex() == "b8316829e752feb980c05f6e1a41f40769c8317bdfeacbdeb61191bdcdb7f663"
    symbols = [code.ALPHABET.index(c) for c in "7K3QXM9TFR2AW8BC4DHP"]
    assert (code.value_at(symbols, 2), code.value_at(symbols, 4)) == (17, 31)
    assert name_of("7K3Q-XM9T-FR2A-W8BC-4DHP") == "CheckFailed"


def test_field():
    powers = [1]
    for _ in range(31):
        powers.append(code.times(powers[-1], 2))
    assert powers[31] == 1 and len(set(powers[:31])) == 31


def test_every_error_in_one_symbol_is_refused():
    good = code.read("7K3Q-XM9T-FR2A-W8BC-4DFY")
    for at, symbol in itertools.product(range(20), code.ALPHABET):
        if symbol != good[at]:
            assert name_of(good[:at] + symbol + good[at + 1 :]) == "CheckFailed"


def test_every_pair_of_errors_is_refused():
    """The code is linear, so it is enough that no word of weight one or two is a code word."""
    powers = {i: (pow_of(2, 19 - i), pow_of(4, 19 - i)) for i in range(20)}
    for i, j in itertools.combinations(range(20), 2):
        for a in range(1, 32):
            one = (code.times(a, powers[i][0]), code.times(a, powers[i][1]))
            for b in range(1, 32):
                two = (code.times(b, powers[j][0]), code.times(b, powers[j][1]))
                assert one != two


def pow_of(base, exponent):
    out = 1
    for _ in range(exponent):
        out = code.times(out, base)
    return out


def test_every_swap_is_refused():
    good = code.read("7K3Q-XM9T-FR2A-W8BC-4DFY")
    for i, j in itertools.combinations(range(20), 2):
        if good[i] != good[j]:
            swapped = list(good)
            swapped[i], swapped[j] = swapped[j], swapped[i]
            assert name_of("".join(swapped)) == "CheckFailed"


def test_issued_codes_read_back():
    source = random.Random(1)
    for _ in range(200):
        symbols = code.issue(source.randbytes(18))
        assert code.read(code.show(symbols)) == symbols
        assert code.read(" ".join(symbols.lower())) == symbols


def test_separators():
    for char in code.SEPARATORS:
        assert code.read(char + "7k3q" + char * 2 + "xm9tfr2aw8bc4dfy" + char) == "7K3QXM9TFR2AW8BC4DFY"
    white = {chr(c) for c in range(0x110000) if chr(c).isspace()} - set("\x1c\x1d\x1e\x1f")
    assert white <= code.SEPARATORS
    for char in "\x1c\x1f\x08\x0e_.+\u2016\u200a0\u202f!\u206a\u00ad7\ufeff\u01c0":
        if char not in code.SEPARATORS and char not in "07":
            assert name_of("7K3Q-XM9T-FR2A-W8BC-4DFY" + char) == "UnknownSymbol"


def test_twins():
    assert code.read("o0OO-ooOO-0000-OOOO-0000") == "0" * 20
    ones = code.encode([1] * 18)
    assert code.read("iIlLiIlLiIlLiIlLiI" + ones[18:]) == ones


def test_refused_characters_and_lengths():
    good = "7K3QXM9TFR2AW8BC4DFY"
    for char in "*~$=\u017f\u0131\u212a\uff10\u0660":
        assert name_of(good[:5] + char + good[6:]) == "UnknownSymbol"
    for char in "Uu":
        assert name_of(good[:5] + char + good[6:]) == name_of(char) == "LetterU"
        assert name_of(char + good[1:19] + "*") == "UnknownSymbol"  # whatever stands first
    assert name_of("") == name_of(good[:19]) == "TooShort"
    assert name_of(good + "0") == "TooLong"
