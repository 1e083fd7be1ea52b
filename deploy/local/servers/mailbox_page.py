"""The received mails and SMS as read-only web pages. They run no script of a mail."""

import json
from email.message import EmailMessage
from html import escape
from itertools import islice
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from deploy.local.servers.mailbox import Mailbox

LONGEST_LIST = 500  # newest first; the night before a due date has thousands, too many to read on one page
FRAME_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2733 }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid #d8dee6; vertical-align: top }
pre { white-space: pre-wrap; background: #f5f7fa; padding: 1rem }
iframe { width: 100%; height: 40rem; border: 1px solid #d8dee6 }
nav a { margin-right: 1rem }
"""


def build_page(mailbox: Mailbox, sms_log: Path) -> Starlette:
    """Return the web application for one mailbox and one SMS log."""
    pages = MailboxPages(mailbox, sms_log)
    return Starlette(
        routes=[
            Route("/", pages.mails),
            Route("/sms", pages.sms),
            Route("/mails/{name}", pages.mail),
            Route("/mails/{name}/source", pages.source),
            Route("/mails/{name}/html", pages.html),
            Route("/api/mails", pages.api_mails),
            Route("/api/sms", pages.api_sms),
        ]
    )


class MailboxPages:
    """Builds each page from the files on disk at that moment."""

    def __init__(self, mailbox: Mailbox, sms_log: Path) -> None:
        self._mailbox = mailbox
        self._sms_log = sms_log

    def mails(self, request: Request) -> Response:
        del request
        rows = "".join(
            f'<tr><td><a href="/mails/{name}">{escape(mail["subject"] or "(no subject)")}</a></td>'
            f"<td>{escape(mail['to'] or '')}</td><td>{escape(mail['date'] or '')}</td></tr>"
            for name, mail in self._newest()
        )
        head = "<tr><th>Subject</th><th>To</th><th>Date</th></tr>"
        return _page(f"{len(self._mailbox.names())} mails", f"<table>{head}{rows}</table>")

    def sms(self, request: Request) -> Response:
        del request
        messages = self._messages()
        rows = "".join(
            f"<tr><td>{escape(message['to'])}</td><td>{escape(message['from'])}</td><td>{escape(message['text'])}</td>"
            f"<td>{message['parts']} × {escape(message['encoding'])}</td></tr>"
            for message in islice(reversed(messages), LONGEST_LIST)
        )
        head = "<tr><th>To</th><th>From</th><th>Text</th><th>Parts</th></tr>"
        return _page(f"{len(messages)} SMS", f"<table>{head}{rows}</table>")

    def mail(self, request: Request) -> Response:
        name, mail = self._find_mail(request)
        headers = "".join(
            f"<tr><th>{escape(key)}</th><td>{escape(str(value))}</td></tr>" for key, value in mail.items()
        )
        text = mail.get_body(("plain",))
        body = f"<pre>{escape(text.get_content())}</pre>" if text else ""
        if mail.get_body(("html",)):
            body += f'<iframe sandbox src="/mails/{name}/html" title="HTML part"></iframe>'
        names = "".join(f"<li>{escape(part.get_filename() or 'unnamed')}</li>" for part in mail.iter_attachments())
        source = f'<p><a href="/mails/{name}/source">source</a></p>'
        return _page(mail["subject"] or "(no subject)", f"<table>{headers}</table>{body}<ul>{names}</ul>{source}")

    def html(self, request: Request) -> Response:
        _, mail = self._find_mail(request)
        part = mail.get_body(("html",))
        content = part.get_content() if part else ""
        return HTMLResponse(content, headers={"Content-Security-Policy": FRAME_POLICY})

    def source(self, request: Request) -> Response:
        name, _ = self._find_mail(request)
        return Response(self._mailbox.raw(name), media_type="text/plain; charset=utf-8")

    def api_mails(self, request: Request) -> Response:
        del request
        return JSONResponse(
            [
                {"name": name, "to": mail["to"], "subject": mail["subject"], "message_id": mail["message-id"]}
                for name, mail in self._newest()
            ]
        )

    def api_sms(self, request: Request) -> Response:
        del request
        return JSONResponse(self._messages())

    def _newest(self) -> list[tuple[str, EmailMessage]]:
        names = islice(reversed(self._mailbox.names()), LONGEST_LIST)
        return [(name, self._mailbox.mail(name)) for name in names]

    def _messages(self) -> list[dict[str, str]]:
        if not self._sms_log.exists():
            return []
        lines = self._sms_log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def _find_mail(self, request: Request) -> tuple[str, EmailMessage]:
        name = request.path_params["name"]
        try:
            return name, self._mailbox.mail(name)
        except FileNotFoundError as error:
            raise HTTPException(404, "no such mail") from error


def _page(title: str, body: str) -> HTMLResponse:
    navigation = '<nav><a href="/">Mails</a><a href="/sms">SMS</a></nav>'
    return HTMLResponse(
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>{navigation}<h1>{escape(title)}</h1>{body}</html>"
    )
