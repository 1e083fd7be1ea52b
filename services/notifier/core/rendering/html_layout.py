"""How a mail is laid out: as plain text, and as HTML that any mail program draws (inline style, nothing fetched)."""

from html import escape
from textwrap import indent

from services.notifier.core.rendering.phrases import Prose, Row

_STYLE = "font-family:'Times New Roman',Tinos,'Liberation Serif',serif;font-size:17px;line-height:1.5;color:#1c1c1c"
_PAGE = "max-width:640px;margin:0 auto;padding:24px 28px;background:#ffffff;border-top:4px solid #a3171c"
_TABLE = "width:100%;border-collapse:collapse;margin:0 0 18px;background:#faf7f2;border-left:3px solid #c8963e"
_LABEL = "text-align:left;vertical-align:top;padding:5px 12px;width:31%;font-weight:normal;color:#5c5348"
_VALUE = "vertical-align:top;padding:5px 12px"
_BUTTON = (
    "display:inline-block;padding:7px 16px;background:#a3171c;color:#ffffff;text-decoration:none;border-radius:4px"
)
_FOOT = "font-size:14px;color:#6b6459;border-top:1px solid #ddd5c8;padding-top:10px;margin:22px 0 0"


def plain(prose: Prose) -> str:
    """Return the mail as plain text."""
    items = ["\n".join(_plain_row(row) for row in item) for item in prose.items]
    if len(items) > 1:
        items = [f"{number}. {indent(item, '   ').lstrip()}" for number, item in enumerate(items, start=1)]
    parts = [prose.greeting, prose.opening, *items, *prose.closing, prose.signature, f"-- \n{prose.footer}"]
    return "\n\n".join(parts) + "\n"


def html(prose: Prose, language: str) -> str:
    """Return the mail as one HTML page."""
    items = "".join(_html_item(item) for item in prose.items)
    closing = "".join(f'<p style="margin:0 0 14px">{escape(one)}</p>' for one in prose.closing)
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(prose.subject)}</title></head>'
        f'<body style="margin:0;padding:16px;background:#efeae1;{_STYLE}"><div style="{_PAGE}">'
        f'<p style="margin:0 0 14px"><strong>{escape(prose.greeting)}</strong></p>'
        f'<p style="margin:0 0 16px">{escape(prose.opening)}</p>'
        f'{items}{closing}<p style="margin:0"><strong>{escape(prose.signature)}</strong></p>'
        f'<p style="{_FOOT}">{escape(prose.footer)}</p></div></body></html>'
    )


def _plain_row(row: Row) -> str:
    if row.link is not None:
        return f"{row.label}: {row.link}"
    if len(row.values) == 1:
        return f"{row.label}: {row.values[0]}"
    return "\n".join([f"{row.label}:", *(f"  - {value}" for value in row.values)])


def _html_item(item: tuple[Row, ...]) -> str:
    rows = "".join(
        f'<tr><th scope="row" style="{_LABEL}">{escape(row.label)}</th>'
        f'<td style="{_VALUE}">{_html_values(row)}</td></tr>'
        for row in item
    )
    return f'<table style="{_TABLE}">{rows}</table>'


def _html_values(row: Row) -> str:
    if row.link is not None:
        return f'<a href="{escape(row.link)}" style="{_BUTTON}">{escape(row.values[0])}</a>'
    if len(row.values) == 1:
        return escape(row.values[0])
    values = "".join(f"<li>{escape(value)}</li>" for value in row.values)
    return f'<ul style="margin:0;padding-left:18px">{values}</ul>'
