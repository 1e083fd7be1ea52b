"""The Vietnamese locale: number and date formats, due dates in plain words, collation.

It knows no agency, no plan and no status.
"""

import unicodedata
from datetime import date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"

# Combining marks in dictionary order: huyền, hỏi, ngã, sắc, nặng. A letter without a mark sorts before all of them.
TONES = "\u0300\u0309\u0303\u0301\u0323"

_LETTER_RANKS = {letter: rank for rank, letter in enumerate(ALPHABET, start=100)}
_LETTER_RANKS |= {digit: rank for rank, digit in enumerate("0123456789", start=50)}
_TONE_RANKS = {tone: rank for rank, tone in enumerate(TONES, start=1)}
_SHORTEST_STEP = timedelta(microseconds=1)


# Lists sort the same names again and again; working a key out takes as long as everything else about a line.
@lru_cache(maxsize=32_768)
def collation_key(text: str) -> tuple[str, str, str]:
    """Return the sorting key of *text*: letters first (đ after d, ă and â after a), tones last."""
    # Ranks as characters: texts are smaller than lists of numbers, and compared faster.
    letters: list[str] = []
    tones: list[str] = []
    for character in unicodedata.normalize("NFC", text.casefold()):
        tone, letter = _split_tone(character)
        # Ranks below 1,000 are the alphabet's and the digits'; other letters follow in the order of their code points.
        letters.append(chr(_LETTER_RANKS.get(letter, ord(letter[0]) + 1000)) if letter.isalnum() else "\0")
        tones.append(chr(tone))
    return "".join(letters), "".join(tones), text


@lru_cache(maxsize=1024)  # of the letters that names have
def _split_tone(character: str) -> tuple[int, str]:
    """Return the rank of the tone mark and the letter without it: `ấ` is the tone sắc and the letter `â`."""
    decomposed = unicodedata.normalize("NFD", character)
    tone = next((_TONE_RANKS[mark] for mark in decomposed if mark in _TONE_RANKS), 0)
    letter = unicodedata.normalize("NFC", "".join(mark for mark in decomposed if mark not in _TONE_RANKS))
    return tone, letter


def format_number(value: int | Decimal, places: int = 0) -> str:
    """Format *value* with a decimal comma and dots between thousands: 9.984,2."""
    rounded = Decimal(value).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded:,.{places}f}".translate(str.maketrans(",.", ".,"))


def format_percent(value: Decimal | None, places: int = 1) -> str:
    """Format a ratio as a percentage, or as a dash where there is none because nothing was expected."""
    return "–" if value is None else f"{format_number(value * 100, places)}%"


def format_date(day: date) -> str:
    """Format a date: 09/12/2026."""
    return f"{day:%d/%m/%Y}"


def format_instant(instant: datetime, zone: tzinfo) -> str:
    """Format an instant in local time: 23:59 ngày 09/12/2026."""
    local = instant.astimezone(zone)
    return f"{local:%H:%M} ngày {format_date(local.date())}"


def last_day_on_time(due_at: datetime, zone: tzinfo) -> date:
    """Return the last local date on which a report is on time; *due_at* itself is already late."""
    return (due_at - _SHORTEST_STEP).astimezone(zone).date()


def format_deadline(due_at: datetime, zone: tzinfo) -> str:
    """Format a due instant in plain words: `hết ngày 09/12/2026`, or `trước 17:00 ngày …` where it is no midnight."""
    local = due_at.astimezone(zone)
    if local.hour or local.minute or local.second:
        return f"trước {format_instant(due_at, zone)}"
    return f"hết ngày {format_date(last_day_on_time(due_at, zone))}"
