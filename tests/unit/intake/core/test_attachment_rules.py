"""What an attachment of an event may say of itself."""

import pytest

from schemas.events.facts import Attachment
from schemas.plan.values import Bilingual
from services.intake.core import attachment_rules

MAX = attachment_rules.URL_MAX


def fields_refused(**changes: object) -> list[str]:
    """Return the fields of an attachment with *changes* that have an error; both ways of asking agree."""
    values = {"name": "a.pdf", "media_type": "application/pdf", "size": 1, "sha256": "a" * 64, "url": None} | changes
    one = Attachment.model_validate(values)
    refused = [error.pointer.rpartition("/")[2] for error in attachment_rules.find_errors([one])]
    is_acceptable = attachment_rules.are_acceptable(
        name=one.name, media_type=one.media_type, size=one.size, url=one.url
    )
    assert is_acceptable is (not refused)
    return refused


@pytest.mark.parametrize("name", ["Báo cáo năm 2026.pdf", "a", "...", ".a", "a..b", "tệp (1) – bản ký.PDF", "x" * 255])
def test_a_name_is_taken_as_people_write_it(name: str) -> None:
    """Letters of any script, blanks, dots and brackets are in a name."""
    assert fields_refused(name=name) == []


@pytest.mark.parametrize(
    "name",
    [
        *(
            "../../etc/passwd",
            "/a",
            "a/b",
            "a\\b",
            ".",
            "..",
            "x" * 256,
            "a\nb",
            "a\x00b",
            "a.pdf\n\x01",
            "a\x7fb",
            "a\x85b",
        ),
        *("bao\u202efdp.exe", "a\u200bb", "a\u2066b", "\ufeffa", "a\u00adb", "a\u2028b", "a\U000e0041b", "a\u3164b"),
    ],
)
def test_a_name_that_is_a_path_or_hides_something_is_refused(name: str) -> None:
    """Folders, control characters, characters that reverse or hide text, and names too long for a file system."""
    assert fields_refused(name=name) == ["name"]


@pytest.mark.parametrize(
    "url",
    [
        *("https://a.vn", "HTTPS://A.vn:8443/x?y=z#w", "https://sở-tài-chính.vn/tệp.pdf", "https://[::1]/a"),
        *("urn:dondoc:attachment:sha256:abc", "URN:isbn:1", "https://a.vn/" + "x" * (MAX - 13)),
    ],
)
def test_an_address_over_tls_or_a_urn_is_taken(url: str) -> None:
    """What names a file, or leads to it over TLS."""
    assert fields_refused(url=url) == []


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            " ",
            "a.pdf",
            "/a.pdf",
            "//a.vn/x",
            "http://a.vn/x",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///a",
        ),
        *("ftp://a.vn/x", "https://", "https:///x", "https:a.vn", "https://user:secret@a.vn/", "https://a.vn/a b"),
        *(
            "https://a.vn/\n",
            "https://a.vn/\u202e",
            'https://a.vn/"><script>',
            "https://a.vn\\@b.vn",
            "urn:x",
            "urn::x",
        ),
        *(" https://a.vn", "https://a.vn/" + "x" * MAX),
    ],
)
def test_any_other_address_is_refused(url: str) -> None:
    """Addresses that run something, that a browser completes, that hold a password, or that nobody can read."""
    assert fields_refused(url=url) == ["url"]


def test_sizes_and_types_have_bounds() -> None:
    """A size that not every program can hold, and a type longer than a type may be, are refused."""
    assert fields_refused(size=2**40, media_type="a/" + "b" * 253) == []
    assert fields_refused(size=2**40 + 1) == ["size"]
    assert fields_refused(size=2**70, media_type="a/" + "b" * 254) == ["media_type", "size"]


def test_every_error_has_its_pointer_and_both_languages() -> None:
    """The pointer names the attachment and its field."""
    attachments = [Attachment(name="a/b", media_type="a/b", size=1, sha256="a" * 64, url=None)]
    (error,) = attachment_rules.find_errors([*attachments])
    assert error.pointer == "/data/attachments/0/name"
    assert error.detail == Bilingual.of(
        en="must be the name of a file without a folder, at most 255 characters, none of them invisible",
        vi="phải là tên tệp không kèm thư mục, tối đa 255 ký tự, không có ký tự ẩn",
    )
