"""Text as XML can hold it: a DOCX and an XLSX are XML inside."""

import re

_UNDRAWABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def drawable(text: str) -> str:
    """Return *text* with U+FFFD in place of each character that XML cannot hold (XML 1.0, section 2.2).

    JSON can hold every one of them, so that the text of an event or of a plan may have some.
    """
    return _UNDRAWABLE.sub("\ufffd", text)
