"""Builds the scenario's CloudEvents: reports, corrections, withdrawals and decisions, as upstream systems send them.

Which agency sends what and when is decided in `scenario`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from schemas.events import facts, ids
from services.console.demo.draws import draw_number
from services.console.demo.plan_6766 import reported_content
from services.console.demo.scenario import Event, ScheduledPost, UpstreamSystem

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
PLAN = "6766-KH-UBND"
RESULTS = "annual-results"
RECIPIENT = "nhcsxh-tinh"
YEAR = "2024"
TRANSMISSION_TIME = timedelta(minutes=4)  # from the sender's office to the bank's, by document exchange or e-mail


PORTAL = UpstreamSystem(name="portal", source="//bao-cao.thanh-hoa.example")
EXCHANGE = UpstreamSystem(name="exchange", source="//truc-van-ban.thanh-hoa.example", proof="exchange-log")
EMAIL = UpstreamSystem(name="email", source="//thu-den.nhcsxh-thanh-hoa.example", proof="mail-gateway")
POSTAL_MAIL = UpstreamSystem(name="postal-mail", source="//van-thu.nhcsxh-thanh-hoa.example", proof="postmark")
ARCHIVE = UpstreamSystem(name="archive", source="//luu-tru.nhcsxh-thanh-hoa.example", proof="postmark")
AUTHORITY = UpstreamSystem(name="authority", source="//quyet-dinh.ubnd-thanh-hoa.example", posts_decisions=True)
BANK = UpstreamSystem(name="bank", source="//tham-dinh.nhcsxh-thanh-hoa.example", posts_reviews=True)
UPSTREAM_SYSTEMS = (PORTAL, EXCHANGE, EMAIL, POSTAL_MAIL, ARCHIVE, AUTHORITY, BANK)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDraft:
    """A report as its agency writes it; by default a complete one, posted at the instant `at`.

    `serial` distinguishes several reports of one agency for the same period. `agency_alias` is written into the event
    in place of the agency's id. `about` is the year of its content, where `period` names another one by mistake.
    """

    agency: str
    at: datetime
    serial: int = 1
    obligation: str = RESULTS
    period: str | None = YEAR
    upstream: UpstreamSystem = PORTAL
    sent_at: datetime | None = None
    number: str | None = None
    corrects: str | None = None
    on_behalf_of: str | None = None
    agency_alias: str | None = None
    is_nil: bool = False
    is_signed: bool = True
    has_file: bool = True
    about: str | None = None
    indicators: Mapping[str, int] | None = None
    figures_as_of: date | None = None

    @property
    def id(self) -> str:
        return f"{self.agency}-{self.obligation}-{self.period or 'once'}-{self.serial}"

    @property
    def duty_agency(self) -> str:
        """The agency whose duty it is: of a predecessor, if a successor reports for it."""
        return self.on_behalf_of or self.agency

    @property
    def figures(self) -> Mapping[str, int]:
        """The figures of the report: those of its agency and year; only the annual results have any."""
        if self.is_nil or self.obligation != RESULTS:
            return {}
        return (
            reported_content.draw_figures(self.duty_agency, self._year) if self.indicators is None else self.indicators
        )

    @property
    def sections(self) -> Mapping[str, str]:
        """The texts of the report."""
        return {} if self.is_nil else reported_content.write_sections(self.duty_agency, self._year)

    @property
    def cut_off(self) -> date | None:
        """The day that the figures are of: 30 November, where the draft does not say another."""
        return (self.figures_as_of or date(self._year, 11, 30)) if self.figures else None

    @property
    def _year(self) -> int:
        return int(self.about or self.period or YEAR)

    def to_post(self) -> ScheduledPost:
        """Return the report's event with the instant at which it is posted."""
        return ScheduledPost(at=self.at, event=self.to_event())

    def to_event(self) -> Event:
        """Return the report as a CloudEvent."""
        body: dict[str, Any] = {
            "plan": PLAN,
            "obligation": self.obligation,
            "agency": self.agency_alias or self.agency,
            "document": self._document(),
            "dispatch": self._dispatch(),
            "content": self._content(),
            "attachments": [] if self.is_nil or not self.has_file else [_attachment_fields(self.id)],
        }
        optional = {"period": self.period, "corrects": self.corrects, "on_behalf_of": self.on_behalf_of}
        body.update({name: value for name, value in optional.items() if value is not None})
        return _cloud_event(facts.SUBMITTED, self.id, self.upstream.source, body, self.at)

    def _document(self) -> dict[str, Any]:
        return {
            "number": self.number or f"{draw_number(self.id, 40, 980)}/BC-{issuer_symbol(self.agency)}",
            "issued_on": (self.sent_at or self.at).astimezone(ZONE).date().isoformat(),
            "signed_by": signatory_of(self.agency) if self.is_signed else "",
            "title": f"Báo cáo kết quả thực hiện Kế hoạch số 6766/KH-UBND năm {self.period or YEAR}",
        }

    def _dispatch(self) -> dict[str, Any]:
        sent_at = self.sent_at or (self.at if self.upstream.proof == "none" else self.at - TRANSMISSION_TIME)
        proof = self.upstream.proof
        return {"sent_at": _format_instant(sent_at), "proof": proof, "reference": f"{proof}/{self.id}"}

    def _content(self) -> dict[str, Any]:
        return {
            "nil_return": self.is_nil,
            "figures_as_of": self.cut_off.isoformat() if self.cut_off else None,
            "sections": dict(self.sections),
            "indicators": dict(self.figures),
        }


def build_withdrawal(report: ReportDraft, at: datetime, reason: str) -> ScheduledPost:
    """Return the post by which an agency withdraws *report*."""
    body = {**_duty_fields(report), "withdraws": report.id, "reason": reason}
    return ScheduledPost(
        at=at, event=_cloud_event(facts.WITHDRAWN, f"{report.id}-withdrawn", report.upstream.source, body, at)
    )


def build_reassignment(report: ReportDraft, at: datetime, to_period: str) -> ScheduledPost:
    """Return the decision that *report* counts for *to_period* and not for the period it names."""
    body = {
        "plan": PLAN,
        "obligation": report.obligation,
        "agency": report.agency,
        "submission": report.id,
        "from_period": report.period,
        "to_period": to_period,
        "reason": "Báo cáo ghi nhầm năm",
    }
    return ScheduledPost(at=at, event=_cloud_event(facts.REASSIGNED, f"{report.id}-moved", AUTHORITY.source, body, at))


def build_return(report: ReportDraft, at: datetime, *, reason: str, respond_by: datetime) -> ScheduledPost:
    """Return the post by which the bank returns *report*, to be corrected before *respond_by*."""
    body = {
        **_duty_fields(report),
        "submission": report.id,
        "reason": reason,
        "respond_by": _format_instant(respond_by),
        "returned_by": RECIPIENT,
    }
    return ScheduledPost(at=at, event=_cloud_event(facts.RETURNED, f"{report.id}-returned", BANK.source, body, at))


def build_extension(agency: str, at: datetime, due_at: datetime) -> ScheduledPost:
    """Return the decision that moves the due instant of *agency* to *due_at*."""
    body = {
        "plan": PLAN,
        "obligation": RESULTS,
        "period": YEAR,
        "agency": agency,
        "due_at": _format_instant(due_at),
        "decision": _decision_fields(agency, at.date()),
        "reason": "Khắc phục hậu quả mưa lũ",
    }
    return ScheduledPost(at=at, event=_cloud_event(facts.EXTENDED, f"{agency}-extension", AUTHORITY.source, body, at))


def build_exemption(agency: str, at: datetime, until: datetime) -> ScheduledPost:
    """Return the decision that exempts *agency* from what falls due from *at* until *until*."""
    body = {
        "plan": PLAN,
        "obligation": RESULTS,
        "agency": agency,
        "from": _format_instant(at),
        "until": _format_instant(until),
        "decision": _decision_fields(agency, at.date()),
        "reason": "Đơn vị không có nhiệm vụ trong năm",
    }
    return ScheduledPost(at=at, event=_cloud_event(facts.EXEMPTED, f"{agency}-exemption", AUTHORITY.source, body, at))


def issuer_symbol(agency: str) -> str:
    """Return the abbreviation of the issuing body in document numbers: STP for Sở Tư pháp, UBND for a district."""
    kind, _, name = agency.partition("-")
    match kind:
        case "so":
            return f"S{name.upper()}"
        case "ban":
            return f"B{name.upper()}"
        case "thanh":
            return "TTr"
        case _:
            return "UBND"


def signatory_of(agency: str) -> str:
    """Return the office that signs; the scenario names no person."""
    return "Chủ tịch UBND" if issuer_symbol(agency) == "UBND" else "Thủ trưởng cơ quan"


def _duty_fields(report: ReportDraft) -> dict[str, Any]:
    named = {"plan": PLAN, "obligation": report.obligation, "agency": report.agency}
    return named if report.period is None else {**named, "period": report.period}


def _decision_fields(agency: str, day: date) -> dict[str, Any]:
    number = f"{draw_number(f'{agency}/decision', 3_900, 4_900)}/QĐ-UBND"
    return {"number": number, "issued_on": day.isoformat(), "signed_by": "Chủ tịch UBND tỉnh"}


def _attachment_fields(name: str) -> dict[str, Any]:
    return {
        "name": f"{name}.pdf",
        "media_type": "application/pdf",
        "size": draw_number(f"{name}/size", 90_000, 2_400_000),
        "sha256": ids.digest("file", name),
        "url": f"https://tep.thanh-hoa.example/{name}.pdf",
    }


def _cloud_event(kind: str, event_id: str, source: str, body: Mapping[str, Any], at: datetime) -> Event:
    return {
        "specversion": "1.0",
        "type": kind,
        "id": event_id,
        "source": source,
        "subject": body["agency"],
        "time": _format_instant(at),
        "datacontenttype": "application/json",
        "data": body,
    }


def _format_instant(instant: datetime) -> str:
    return instant.astimezone(ZONE).isoformat(timespec="milliseconds")
