"""The canonical form is that of RFC 8785."""

import pytest

from services.reporting.core.sealing import canonical_json


def test_the_example_of_the_standard() -> None:
    """RFC 8785, section 3.2.2 to 3.2.4: order of members, escapes, numbers."""
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": '\u20ac$\u000f\u000aA\'B"\\\\"/',
        "literals": [None, True, False],
    }
    expected = (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )
    assert canonical_json.encode(value) == expected.encode()


def test_members_are_ordered_by_utf16() -> None:
    """RFC 8785, section 3.2.3: by code units of UTF-16, where an emoji comes before U+FB33."""
    assert canonical_json.encode({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_what_has_no_canonical_form_is_refused() -> None:
    """An integer beyond 2^53, of which some readers would lose the last digits."""
    with pytest.raises(ValueError, match="9007199254740993"):
        canonical_json.encode({"total": 2**53 + 1})
