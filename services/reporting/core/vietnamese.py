"""How Vietnamese writes and orders things: numbers, dates, deadlines in plain words, collation, search without accents.

It knows no agency, no plan and no status.
"""

import unicodedata
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
TONES = "\u0300\u0309\u0303\u0301\u0323"
"""Combining marks in dictionary order: huyền, hỏi, ngã, sắc, nặng; no mark comes first."""

_RANK = {letter: rank for rank, letter in enumerate(ALPHABET, start=100)}
_RANK |= {digit: rank for rank, digit in enumerate("0123456789", start=50)}
_TONE_RANK = {tone: rank for rank, tone in enumerate(TONES, start=1)}
_LAST_MOMENT = timedelta(microseconds=1)


def collation_key(text: str) -> tuple[tuple[int, ...], tuple[int, ...], str]:
    """Return the sorting key of *text*: letters first (đ after d, ă and â after a), tones last."""
    letters: list[int] = []
    tones: list[int] = []
    for character in unicodedata.normalize("NFC", text.casefold()):
        tone, letter = _parted(character)
        letters.append(_RANK.get(letter, ord(letter[0]) + 1000) if letter.isalnum() else 0)
        tones.append(tone)
    return tuple(letters), tuple(tones), text


def _parted(character: str) -> tuple[int, str]:
    marks = unicodedata.normalize("NFD", character)
    tone = next((_TONE_RANK[mark] for mark in marks if mark in _TONE_RANK), 0)
    letter = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONE_RANK))
    return tone, letter


def searchable(text: str) -> str:
    """Return *text* as a search compares it: lower case, no accents, đ as d, single spaces (`Hoá` and `Hóa` agree)."""
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(mark))
    return " ".join(bare.replace("đ", "d").split())


def number(value: int | Decimal, places: int = 0) -> str:
    """Write *value* with a decimal comma and dots between thousands: 9.984,2."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded:,.{places}f}".translate(str.maketrans(",.", ".,"))


def percent(value: Decimal | None, places: int = 1) -> str:
    """Write a ratio as a percentage, or a dash where there was nothing to divide by."""
    return "–" if value is None else f"{number(value * 100, places)}%"


def short_date(day: date) -> str:
    """Write 09/12/2026."""
    return f"{day:%d/%m/%Y}"


def moment(instant: datetime, zone: tzinfo) -> str:
    """Write an instant in local time: 23:59 ngày 09/12/2026."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M} ngày {short_date(local.date())}"


def last_good_day(due_at: datetime, zone: tzinfo) -> date:
    """Return the last local day on which a report is still on time, for an exclusive due instant."""
    return (due_at - _LAST_MOMENT).astimezone(zone).date()


def deadline(due_at: datetime, zone: tzinfo) -> str:
    """Write a due instant in plain words: `hết ngày 09/12/2026`, or `trước 17:00 ngày …` where it is no midnight."""
    local = due_at.astimezone(zone)
    if local.hour or local.minute or local.second:
        return f"trước {moment(due_at, zone)}"
    return f"hết ngày {short_date(last_good_day(due_at, zone))}"
