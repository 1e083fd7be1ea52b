"""Vietnamese without marks ("không dấu"), as SMS for agencies is written: every sign left is one of GSM 03.38.

Stripping makes ambiguities ("dư nợ", "đủ nợ"), so texts that pass through here are kept short, with numbers first.
"""

import unicodedata

from services.notifier.core.rendering import sms_segments

_SIGNS = str.maketrans(
    {
        "đ": "d", "Đ": "D", "₫": "d",
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "`": "'", "´": "'",
        "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "•": "-", "·": "-",
        "…": "...", "×": "x", "\t": " ",
    }
)  # fmt: skip


def unaccented(text: str) -> str:
    """Return *text* without any mark, in letters that every handset and operator takes; an unknown sign becomes `?`."""
    bare = "".join(
        letter for letter in unicodedata.normalize("NFKD", text.translate(_SIGNS)) if not unicodedata.combining(letter)
    )
    return "".join(letter if sms_segments.is_gsm7(letter) else "?" for letter in bare.translate(_SIGNS))
