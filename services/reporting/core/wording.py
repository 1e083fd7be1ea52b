"""The words for what reporting shows, in Vietnamese and English: statuses, flags, missing parts, urging.

Courteous by decision: a bank urges departments it has no power over. Figures and dates are written elsewhere.
"""

from datetime import tzinfo

from schemas.events.assessments import Status
from schemas.events.deliveries import Channel
from schemas.plan.plan import Obligation, Requirements
from schemas.plan.values import Bilingual
from services.reporting.core import vietnamese
from services.reporting.core.lines import INHERITED_BY, DutyLine
from services.reporting.core.urging import Urging

STATUS = {
    Status.ON_TIME: Bilingual(vi="Đúng hạn", en="On time"),
    Status.LATE: Bilingual(vi="Trễ hạn", en="Late"),
    Status.INCOMPLETE: Bilingual(vi="Chưa đầy đủ", en="Incomplete"),
    Status.OVERDUE: Bilingual(vi="Quá hạn, chưa gửi", en="Overdue"),
    Status.PENDING: Bilingual(vi="Chưa đến hạn", en="Not yet due"),
    Status.EXEMPT: Bilingual(vi="Được miễn", en="Exempt"),
    Status.SUPERSEDED: Bilingual(vi="Chuyển đơn vị kế thừa", en="Passed to a successor"),
    Status.ENDED_NO_SUCCESSOR: Bilingual(vi="Chấm dứt, chưa kế thừa", en="Ended, no successor"),
    Status.OPEN: Bilingual(vi="Chưa ghi nhận kết quả", en="Open"),
    Status.FULFILLED: Bilingual(vi="Đã ghi nhận kết quả", en="Fulfilled"),
    Status.NOT_APPLICABLE: Bilingual(vi="Không áp dụng", en="Not applicable"),
}

FLAG = {
    "first_sent_on_time": Bilingual(vi="bản đầu gửi đúng hạn", en="first sent on time"),
    "past_due": Bilingual(vi="đã qua hạn", en="past due"),
    "amended_after_deadline": Bilingual(vi="bổ sung sau hạn", en="amended after the deadline"),
    "duplicate": Bilingual(vi="gửi trùng", en="duplicate"),
    "needs_reconciliation": Bilingual(vi="cần đối chiếu", en="needs reconciliation"),
    "under_extension": Bilingual(vi="được gia hạn", en="under an extension"),
    "was_overdue": Bilingual(vi="từng quá hạn", en="was overdue"),
    "withdrawn": Bilingual(vi="đã thu hồi", en="withdrawn"),
    "voluntary_report": Bilingual(vi="được miễn nhưng vẫn gửi", en="voluntary report"),
    "revocation_refused": Bilingual(vi="không nhận việc rút miễn", en="revocation refused"),
    "filed_by_successor": Bilingual(vi="đơn vị kế thừa gửi thay", en="filed by the successor"),
    "filing_kept": Bilingual(vi="giữ kết quả đã gửi", en="filing kept"),
    "nil_return": Bilingual(vi="không phát sinh", en="nil return"),
}

CHANNEL = {Channel.EMAIL: Bilingual(vi="email", en="e-mail"), Channel.SMS: Bilingual(vi="SMS", en="SMS")}

_PART = {
    "sections": Bilingual(vi="mục", en="section"),
    "indicators": Bilingual(vi="chỉ tiêu", en="indicator"),
    "attachments": Bilingual(vi="tệp kèm theo", en="attachments"),
    "signed": Bilingual(vi="chữ ký", en="signature"),
    "checks": Bilingual(vi="điều kiện", en="check"),
}
"""The parts of a report as rules names them, by the first word of their name."""


def status(value: Status, language: str = "vi") -> str:
    """Return a status in words."""
    return STATUS[value].in_language(language)


def flag(name: str, language: str = "vi") -> str:
    """Return a flag in words; an unknown flag stands for itself."""
    return FLAG[name].in_language(language) if name in FLAG else name


def notes(line: DutyLine, language: str = "vi") -> list[str]:
    """Return what is to be noted of a line: who inherits it, and its flags."""
    heirs = [f"{name} kế thừa" if language == "vi" else f"inherited by {name}" for name in line.heirs]
    return heirs + [flag(name, language) for name in line.flags if not name.startswith(INHERITED_BY)]


def missing_part(name: str, obligation: Obligation, language: str = "vi") -> str:
    """Return a missing part in words: the plan's own title of it, or message of a check, where it has one."""
    kind, _, part = name.partition(".")
    if kind not in _PART:
        return name
    described = _described(kind, part, obligation)
    quoted = f" “{described.in_language(language)}”" if described else f" {part}".rstrip()
    return f"{_PART[kind].in_language(language)}{quoted}"


def _described(kind: str, part: str, obligation: Obligation) -> Bilingual | None:
    """Return the plan's words for a part, of the latest version that has any."""
    requirements = [version.requires for version in reversed(obligation.versions)]
    return next((words for one in requirements if (words := _words(kind, part, one))), None)


def _words(kind: str, part: str, requires: Requirements) -> Bilingual | None:
    match kind:
        case "sections":
            found = [one.title for one in requires.sections if one.id == part]
        case "indicators":
            found = [one.title for one in requires.indicators if one.code == part]
        case "checks":
            found = [one.message for one in requires.checks if one.id == part]
        case _:
            found = []
    return next(filter(None, found), None)


def missing(line: DutyLine, obligation: Obligation, language: str = "vi") -> str:
    """Return everything missing in words, parted by semicolons."""
    return "; ".join(missing_part(code, obligation, language) for code in line.missing)


def urged(urging: Urging, zone: tzinfo, language: str = "vi") -> str:
    """Return how often, by which channels and when last an agency was spoken to; nothing where nobody had to speak."""
    if not urging.occasions and not urging.unsent:
        return ""
    if not urging.occasions:
        return "không liên hệ được" if language == "vi" else "could not be reached"
    channels = ", ".join(
        f"{CHANNEL[channel].in_language(language)}\u00a0{count}" for channel, count in urging.by_channel
    )
    day = urging.last_at.astimezone(zone).date() if urging.last_at else None
    if language == "vi":
        return f"{urging.occasions} lần ({channels}), cuối {vietnamese.short_date(day) if day else ''}"
    times = "once" if urging.occasions == 1 else f"{urging.occasions} times"
    return f"{times} ({channels}), last on {f'{day.day} {day:%B %Y}' if day else ''}"


def effect(line: DutyLine, zone: tzinfo) -> str:
    """Return what the urging led to, in Vietnamese as the report prints it."""
    urging = line.urging
    if urging.answered_at is not None and urging.prompted_at is not None:
        days = (urging.answered_at.astimezone(zone).date() - urging.prompted_at.astimezone(zone).date()).days
        return "đã gửi trong ngày" if days == 0 else f"đã gửi sau {days} ngày"
    match line.status:
        case Status.ON_TIME | Status.LATE | Status.FULFILLED:
            return "đã gửi trước khi nhắc"
        case Status.INCOMPLETE:
            return "đã gửi, chưa đầy đủ"
        case Status.OVERDUE:
            return "chưa gửi"
        case _:
            return status(line.status).lower()
