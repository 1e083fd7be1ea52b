"""Decoder and desk on the published examples and on all that the fuzzer once found; `make fuzz` looks for more."""

import pytest

from tests.support.assertions.decoding import Examiner, regressions, seeds


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    """The rules that every request is held to."""
    return Examiner()


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in seeds()])
def test_published_examples_are_read_alike_in_every_mode(examiner: Examiner, text: bytes) -> None:
    """A fact is accepted, once in a single mode and twice in a batch of two; what is no fact of upstream is refused."""
    accepted = examiner.examine(text)
    is_fact = b"vn.dondoc.report." in text or b"vn.dondoc.ex" in text
    assert len(accepted) == is_fact * (2 if text.startswith(b"batch") else 1)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in regressions()])
def test_what_the_fuzzer_found_stays_mended(examiner: Examiner, text: bytes) -> None:
    """Whatever becomes of it, the rules hold."""
    examiner.examine(text)
