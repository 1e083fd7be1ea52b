"""The CloudEvents 1.0 rules for context attributes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core import cloud_event


def attributes(**changes: Any) -> dict[str, Any]:
    """Build attributes that keep every rule, with *changes*; None removes one."""
    valid = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", "time": "2024-12-01T08:00:00+07:00"}
    return {name: value for name, value in (valid | changes).items() if value is not None}


def pointers(given: dict[str, Any]) -> list[str]:
    """Return the pointers of the errors."""
    return [error.pointer for error in cloud_event.attribute_errors(given)]


def test_attributes_that_keep_the_rules_have_no_errors() -> None:
    """A complete event with extensions of every JSON type that the specification allows is valid."""
    assert pointers(attributes(subject="a", traceparent="00-x", count=3, flag=True)) == []


@pytest.mark.parametrize("name", cloud_event.REQUIRED_ATTRIBUTES)
def test_each_required_attribute_is_missed_by_name(name: str) -> None:
    """The error points at the attribute that is missing."""
    assert pointers(attributes(**{name: None})) == [f"/{name}"]


@pytest.mark.parametrize(
    "name,value",
    [
        ("specversion", "0.3"),
        ("id", ""),
        ("id", 7),
        ("source", "x" * 1025),
        ("type", "a\nb"),
        ("time", "2024-12-01T08:00:00"),
        ("time", "2024-13-01T08:00:00Z"),
        ("time", "1733040000"),
        ("time", "2024-12-01T08:00:00+07:99"),
        ("time", "2024-12-01T08:00:00+24:00"),
        ("time", "2024-12-01T08:00:00-07:60"),
        ("time", "２０２４-12-01T08:00:00Z"),
        ("dataschema", ""),
        ("dataschema", "schema.json"),
        ("dataschema", "//a.vn/schema.json"),
        ("dataschema", "https://a.vn/schema.json#report"),
        ("datacontenttype", "application/jsonx"),
        ("datacontenttype", "application/jſon"),
        ("id", "a\ufffe"),
        ("id", "a\U0001fffe"),
        ("subject", "\U0008ffff"),
        ("extension", "\U0010ffff"),
        ("datacontenttype", "text/xml"),
        ("extension", 1.5),
        ("extension", {"a": 1}),
        ("extension", 2**31),
        ("Upper", "x"),
        ("with_underscore", "x"),
        ("with-dash", "x"),
    ],
)
def test_a_value_against_the_rules_is_named(name: str, value: object) -> None:
    """The error points at the attribute, whether its name or its value is wrong."""
    assert pointers(attributes(**{name: value})) == [f"/{name}"]


@pytest.mark.parametrize(
    "source",
    [
        *("a b", "a\tb", "http://[", "http://[::1", "http://]", "http://[1:2]", "http://[::1%25eth0]", "http://[v1]"),
        *("%zz", "%", "%4", "<>", "a|b", "a\\b", "a^b", "`a`", "{a}", 'say"', "http://a:b/", "http://a:1:2/"),
        *("1a:b", ":a", "sở:a", "a#b#c", "a[0]", "urn:x?[", "\ufdd0", "//a@b@c/"),
    ],
)
def test_a_source_that_is_no_reference_is_refused(source: str) -> None:
    """A source must be a URI-reference (RFC 3986), and one error says so."""
    assert pointers(attributes(source=source)) == ["/source"]


@pytest.mark.parametrize(
    "source",
    [
        *("qlvb.h-mot", "urn:x", "urn:", "//h56.gov.vn/qlvb", "https://a.vn/x?y#z", "mailto:a@b.vn", "/a:b", "./a:b"),
        *("?q", "#f", "a?b?c/d", "a//b", "///", "http://", "http://u:p@a.vn:8443/", "http://a:/", "http://[::1]:80/x"),
        *(
            "http://[2001:db8::7]",
            "http://[::ffff:10.0.0.1]/",
            "http://[v1.fe:80]/",
            "http://10.0.0.1",
            "tag:a.vn,2024:x",
        ),
        *(
            "a%20b",
            "%c4%91",
            "a!$&'()*+,;=@b",
            "so-tai-chinh/sở-tài-chính",
            "https://đồng.vn/xã?kỳ=1#mục",
            "đ\U00020000",
        ),
        *("e\u0302\u0301", "x" * 1024),
    ],
)
def test_a_reference_is_a_valid_source(source: str) -> None:
    """A source may be absolute, relative or empty in parts; letters beyond ASCII need no encoding (RFC 3987)."""
    assert pointers(attributes(source=source)) == []


@pytest.mark.parametrize("schema", ["https://a.vn/schema.json", "urn:dondoc:schema:x", "https://a.vn/lược-đồ?v=1"])
def test_the_data_schema_may_be_any_absolute_uri(schema: str) -> None:
    """The `dataschema` is an absolute URI (RFC 3986 section 4.3)."""
    assert pointers(attributes(dataschema=schema)) == []


@pytest.mark.parametrize(
    "instant", ["2024-12-01T08:00:00+23:59", "2024-12-01t08:00:00z", "2024-12-01T08:00:00.5-00:00"]
)
def test_an_instant_may_have_any_offset_below_a_day(instant: str) -> None:
    """The offset of `time` has hours up to 23 and minutes up to 59."""
    assert pointers(attributes(time=instant)) == []


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_data_may_be_declared_with_parameters(media_type: str) -> None:
    """The media type of the data is compared without case and parameters."""
    assert pointers(attributes(datacontenttype=media_type)) == []


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=6
    )
)
def test_any_attributes_are_checked_without_an_exception(given_attributes: dict[str, object]) -> None:
    """Checking arbitrary attributes yields errors and raises nothing."""
    assert isinstance(list(cloud_event.attribute_errors(given_attributes)), list)
