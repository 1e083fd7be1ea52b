"""The CloudEvents 1.0 rules for context attributes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.core import cloud_event


def attributes(**changes: Any) -> dict[str, Any]:
    """Attributes that keep every rule; None takes one away."""
    usual = {"specversion": "1.0", "id": "1", "source": "urn:x", "type": "t", "time": "2024-12-01T08:00:00+07:00"}
    return {name: value for name, value in (usual | changes).items() if value is not None}


def pointers(given: dict[str, Any]) -> list[str]:
    """Where the faults stand."""
    return [fault.pointer for fault in cloud_event.attribute_errors(given)]


def test_attributes_that_keep_the_rules_have_no_fault() -> None:
    """A complete event with extensions of every JSON type the specification allows passes."""
    assert pointers(attributes(subject="a", traceparent="00-x", count=3, flag=True)) == []


@pytest.mark.parametrize("name", cloud_event.REQUIRED_ATTRIBUTES)
def test_each_required_attribute_is_missed_by_name(name: str) -> None:
    """The fault points at the attribute that is not there."""
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
    """The fault points at the attribute, whatever is wrong with its name or value."""
    assert pointers(attributes(**{name: value})) == [f"/{name}"]


@pytest.mark.parametrize(
    "source",
    [
        *("a b", "a\tb", "http://[", "http://[::1", "http://]", "http://[1:2]", "http://[::1%25eth0]", "http://[v1]"),
        *("%zz", "%", "%4", "<>", "a|b", "a\\b", "a^b", "`a`", "{a}", 'say"', "http://a:b/", "http://a:1:2/"),
        *("1a:b", ":a", "sở:a", "a#b#c", "a[0]", "urn:x?[", "\ufdd0", "//a@b@c/"),
    ],
)
def test_what_is_no_reference_names_no_source(source: str) -> None:
    """A source is a URI-reference (RFC 3986); one fault says so."""
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
def test_a_reference_names_a_source(source: str) -> None:
    """Absolute, relative or empty in its parts; letters beyond ASCII stand for themselves (RFC 3987)."""
    assert pointers(attributes(source=source)) == []


@pytest.mark.parametrize("schema", ["https://a.vn/schema.json", "urn:dondoc:schema:x", "https://a.vn/lược-đồ?v=1"])
def test_the_schema_of_the_data_is_named_absolutely(schema: str) -> None:
    """As RFC 3986 section 4.3 has it."""
    assert pointers(attributes(dataschema=schema)) == []


@pytest.mark.parametrize(
    "instant", ["2024-12-01T08:00:00+23:59", "2024-12-01t08:00:00z", "2024-12-01T08:00:00.5-00:00"]
)
def test_an_instant_has_any_offset_of_a_day(instant: str) -> None:
    """Hours to 23, minutes to 59."""
    assert pointers(attributes(time=instant)) == []


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_json_data_may_be_declared_with_parameters(media_type: str) -> None:
    """The media type is compared without case or parameters."""
    assert pointers(attributes(datacontenttype=media_type)) == []


@given(
    st.dictionaries(
        st.text(max_size=8), st.none() | st.booleans() | st.integers() | st.floats() | st.text(), max_size=6
    )
)
def test_any_attributes_are_judged_without_an_error(given_attributes: dict[str, object]) -> None:
    """Whatever arrives, the answer is a list of faults."""
    assert isinstance(list(cloud_event.attribute_errors(given_attributes)), list)
