"""The messages about JSON that cannot be decoded, in both languages."""

import base64

import pytest

from schemas.plan.values import Bilingual
from services.intake.asgi import RequestRefusedError
from services.intake.cloudevents.http_binding import ContentMode
from services.intake.core.problems import RequestProblem
from tests.support.assertions.decoding import read_all


def unreadable_detail(mode: ContentMode, body: bytes) -> Bilingual:
    """Return the detail of the refusal of *body*."""
    with pytest.raises(RequestRefusedError) as refused:
        read_all(mode, [], body)
    assert refused.value.refusal.problem is RequestProblem.UNREADABLE
    return refused.value.refusal.detail


@pytest.mark.parametrize(
    "mode,body,en,vi",
    [
        (ContentMode.BATCH, b"[7]", "event 0: Expected `object`, got `int`", "sự kiện 0 phải là một đối tượng JSON"),
        (ContentMode.BATCH, b"{}", "the batch: Expected `array`, got `object`", "lô sự kiện phải là một mảng JSON"),
        (ContentMode.BATCH, b"[1 2]", None, "lô sự kiện không phải JSON hợp lệ (byte 3)"),
        (ContentMode.STRUCTURED, b"[]", None, "nội dung yêu cầu phải là một đối tượng JSON"),
        (ContentMode.STRUCTURED, b'{"a": tru}', None, "nội dung yêu cầu không phải JSON hợp lệ (byte 10)"),
        (ContentMode.STRUCTURED, b"{", None, "nội dung yêu cầu không phải JSON hợp lệ hoặc bị thiếu phần cuối"),
        (
            ContentMode.STRUCTURED,
            b'{"a": "\xff"}',
            "the body is not UTF-8 at byte 7; send it as UTF-8",
            "nội dung yêu cầu không phải UTF-8 ở byte 7; hãy gửi bằng UTF-8",
        ),
        *(
            (
                ContentMode.STRUCTURED,
                marked,
                "the body begins with a byte order mark; send UTF-8 without one",
                "nội dung yêu cầu bắt đầu bằng dấu thứ tự byte (BOM); hãy gửi UTF-8 không có BOM",
            )
            for marked in ("{}".encode("utf-8-sig"), "{}".encode("utf-16"))
        ),
        (ContentMode.BATCH, b" ", "the batch is empty; send JSON", "lô sự kiện không có gì; hãy gửi JSON"),
        (
            ContentMode.STRUCTURED,
            b'{"a":' * 50_000,
            "the body is nested too deeply",
            "nội dung yêu cầu lồng nhau quá sâu",
        ),
        (
            *(
                ContentMode.STRUCTURED,
                b'{"a": 1e400}',
                "the body: 1e400 is beyond the range of a number; write it as a string",
            ),
            "nội dung yêu cầu có số 1e400 vượt quá phạm vi; hãy viết dưới dạng chuỗi",
        ),
        (ContentMode.BINARY, b"[1,]", None, "nội dung yêu cầu không phải JSON hợp lệ (byte 3)"),
    ],
)
def test_what_cannot_be_decoded_is_explained_in_both_languages(
    mode: ContentMode, body: bytes, en: str | None, vi: str
) -> None:
    """The Vietnamese message has no English words, and names the byte if the parser knows it."""
    detail = unreadable_detail(mode, body)
    assert detail.vi == vi
    assert detail.en == (en or detail.en)


def test_base64_data_that_cannot_be_decoded_is_named_in_the_message() -> None:
    """The message names the data and the index of the event in its batch."""
    encoded = base64.b64encode(b"{").decode()
    detail = unreadable_detail(ContentMode.BATCH, b'[{"data_base64": "%s"}]' % encoded.encode())
    assert detail.en == "the data of event 0: Input data was truncated"
    assert detail.vi == "phần data của sự kiện 0 không phải JSON hợp lệ hoặc bị thiếu phần cuối"
