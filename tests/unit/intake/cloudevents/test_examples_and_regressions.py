"""Decoder and validator on the published examples and on all regressions found by fuzzing (`make fuzz`)."""

import pytest

from schemas.events.facts import MODEL_OF
from tests.support.assertions.decoding import RequestChecker, regressions, seeds


@pytest.fixture(scope="module")
def checker() -> RequestChecker:
    """Return a checker of the properties that hold for every request."""
    return RequestChecker()


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in seeds()])
def test_published_examples_are_decoded_alike_in_every_mode(checker: RequestChecker, text: bytes) -> None:
    """A fact is accepted once in structured and binary mode, and twice in a batch of two; other events are refused."""
    accepted = checker.check(text)
    is_fact = any(kind.encode() in text for kind in MODEL_OF)
    assert len(accepted) == is_fact * (2 if text.startswith(b"batch") else 1)


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in regressions()])
def test_requests_found_by_fuzzing_keep_all_properties(checker: RequestChecker, text: bytes) -> None:
    """Accepted or refused, each request keeps the properties that hold for every request."""
    checker.check(text)
