"""Reads the cells of a contact as people fill them in. Each function returns the value, or why there is none."""

import re
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from schemas.events.deliveries import Channel
from schemas.plan import figures
from schemas.plan.values import Bilingual
from schemas.text import comparison
from services.console.tables import number_formats
from services.console.tables.table import CellValue, InputCell
from services.intake.core.forms import date_parsing
from services.notifier.core.scheduling.routing import Language

_CHANNELS = {
    **dict.fromkeys(("email", "e-mail", "mail", "thư điện tử", "hòm thư"), Channel.EMAIL),
    **dict.fromkeys(("sms", "tin nhắn", "điện thoại", "di động"), Channel.SMS),
}
_LANGUAGES: dict[str, Language] = {
    **dict.fromkeys(("", "vi", "vie", "tiếng việt", "vietnamese"), "vi"),
    **dict.fromkeys(("en", "eng", "tiếng anh", "english"), "en"),
}
_CHANNELS_BY_KEY = {comparison.make_name_key(name): channel for name, channel in _CHANNELS.items()}
_LANGUAGES_BY_KEY = {comparison.make_name_key(name): language for name, language in _LANGUAGES.items()}

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)

# Numbers after the country code. Mobile ones have had nine digits since 2018 and begin with 3, 5, 7, 8 or 9 (Circular
# 22/2014/TT-BTTTT with Decision 798/QD-BTTTT); those that begin with 2 are landlines, which get no SMS.
_MOBILE = re.compile(r"[35789][0-9]{8}")
_LANDLINE = re.compile(r"2[0-9]{8,9}")
_MOBILE_BEFORE_2018 = re.compile(r"1[0-9]{9}")
_COUNTRY = re.compile(r"\+84|0084|84(?=[0-9]{9,10}$)|0|(?=[35789][0-9]{8}$)")
_PUNCTUATION = str.maketrans("", "", " .-()/\u00a0")

# The numbers of days in this century; a cell that lost its format shows the number of its day.
_DAY_NUMBERS = range(36_526, 73_051)


def parse_channel(text: str) -> Channel | Bilingual:
    """Return the channel that *text* names."""
    found = _CHANNELS_BY_KEY.get(comparison.make_name_key(text))
    return found or Bilingual.of(
        en=f"channel {text!r} is none; write email or sms", vi=f"không có kênh “{text}”; hãy ghi email hoặc sms"
    )


def parse_language(text: str) -> Language | Bilingual:
    """Return the language that *text* names; Vietnamese where it names none."""
    found = _LANGUAGES_BY_KEY.get(comparison.make_name_key(text))
    return found or Bilingual.of(
        en=f"language {text!r} is none of ours; write vi or en", vi=f"không có ngôn ngữ “{text}”; hãy ghi vi hoặc en"
    )


def parse_address(channel: Channel, text: str) -> str | Bilingual:
    """Return the address in *text* in the one form in which it is kept."""
    match channel:
        case Channel.EMAIL:
            address = text.removeprefix("mailto:")
            return address if _EMAIL.fullmatch(address) else _say_no_email(text)
        case Channel.SMS:
            return _parse_number(text)
        case _:
            assert_never(channel)


def parse_day(cell: InputCell, *, is_1904: bool) -> date | Bilingual | None:
    """Return the day in *cell*, typed or written; None where it is empty."""
    match cell.value:
        case None | "":
            return None
        case datetime() as instant:
            return instant.date()
        case int() as number if number in _DAY_NUMBERS and not isinstance(number, bool):
            instant_of_day = number_formats.to_instant(Decimal(number), is_1904=is_1904)
            return None if instant_of_day is None else instant_of_day.date()
        case other:
            return date_parsing.parse_day(format_text(other))


def format_text(value: CellValue) -> str:
    """Return the value of a cell as the text that a person sees in it."""
    match value:
        case None:
            return ""
        case Decimal():
            return figures.write_plainly(value)
        case datetime():
            return f"{value:%d/%m/%Y}"
        case other:
            return str(other).strip()


def _parse_number(text: str) -> str | Bilingual:
    bare = text.translate(_PUNCTUATION)
    country = _COUNTRY.match(bare)
    national = bare[country.end() :].removeprefix("0") if country else bare
    if country is not None and _MOBILE.fullmatch(national):
        return f"+84{national}"
    if country is not None and _LANDLINE.fullmatch(national):
        return Bilingual.of(
            en=f"address {text!r} is no Vietnamese number that gets SMS: it is a landline; write a mobile number",
            vi=f"“{text}” là số máy cố định, không nhận được tin nhắn; hãy ghi số di động",
        )
    if country is not None and _MOBILE_BEFORE_2018.fullmatch(national):
        return Bilingual.of(
            en=f"address {text!r} is no Vietnamese number any more: it has the eleven digits of before 2018",
            vi=f"“{text}” là số di động 11 chữ số, đã đổi đầu số từ năm 2018; hãy ghi số 10 chữ số",
        )
    return Bilingual.of(
        en=f"address {text!r} is no Vietnamese number; write +84 or 0 and the nine digits of a mobile number",
        vi=f"“{text}” không phải số di động Việt Nam; hãy ghi 0 hoặc +84 và 9 chữ số",
    )


def _say_no_email(text: str) -> Bilingual:
    return Bilingual.of(en=f"address {text!r} is no e-mail address", vi=f"“{text}” không phải địa chỉ thư điện tử")
