"""Vietnamese and English labels for what reporting shows: statuses, flags, missing parts, urging.

The tone is courteous on purpose: a bank urges departments over which it has no power. `vietnamese_locale` formats
numbers and dates.
"""

from collections.abc import Mapping
from datetime import tzinfo

from schemas.events.assessments import Status
from schemas.events.deliveries import Channel
from schemas.plan.plan import Obligation, ObligationVersion, Plan
from schemas.plan.values import Bilingual
from services.reporting.core import vietnamese_locale
from services.reporting.core.duty_lines import INHERITED_BY, DutyLine
from services.reporting.core.urging import Urging

STATUS_LABELS = {
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

FLAG_LABELS = {
    "dispatch_unproven": Bilingual(vi="thời điểm gửi chưa có căn cứ, tính theo lúc nhận", en="dispatch not proven"),
    "returned_and_corrected": Bilingual(vi="đã hoàn thiện theo đề nghị", en="returned and corrected"),
    "accepted": Bilingual(vi="đã được chấp nhận", en="accepted"),
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

CHANNEL_LABELS = {Channel.EMAIL: Bilingual(vi="email", en="e-mail"), Channel.SMS: Bilingual(vi="SMS", en="SMS")}

# Titles of the sections that most plans ask for, where a plan gives none: no reader knows an id.
SECTION_TITLES = {
    "results": Bilingual(vi="Kết quả thực hiện", en="Results"),
    "proposals": Bilingual(vi="Kiến nghị, đề xuất", en="Proposals"),
}

# Labels of the kinds of parts; rules names a missing part by its kind and its id, for example `sections.results`.
_PART_LABELS = {
    "returned": Bilingual(vi="bản thay thế theo đề nghị hoàn thiện", en="the new version that was asked for"),
    "sections": Bilingual(vi="mục", en="section"),
    "indicators": Bilingual(vi="chỉ tiêu", en="indicator"),
    "attachments": Bilingual(vi="tệp kèm theo", en="attachments"),
    "signed": Bilingual(vi="chữ ký", en="signature"),
    "checks": Bilingual(vi="điều kiện", en="check"),
    "parts": Bilingual(vi="báo cáo của", en="the report of"),
}


def status_label(status: Status, language: str = "vi") -> str:
    """Return the label of a status."""
    return STATUS_LABELS[status].in_language(language)


def flag_label(flag: str, language: str = "vi") -> str:
    """Return the label of a flag, or the flag itself where it has no label."""
    return FLAG_LABELS[flag].in_language(language) if flag in FLAG_LABELS else flag


def describe_notes(line: DutyLine, language: str = "vi") -> list[str]:
    """Return the notes on a line: the agencies that succeeded to the duty, then its flags."""
    successors = [f"{name} kế thừa" if language == "vi" else f"inherited by {name}" for name in line.successors]
    return successors + [flag_label(flag, language) for flag in line.flags if not flag.startswith(INHERITED_BY)]


def missing_part_label(
    name: str,
    obligation: Obligation,
    plan: Plan,
    *,
    language: str = "vi",
    agency_names: Mapping[str, str] | None = None,
) -> str:
    """Return the label of a missing part, for example `chỉ tiêu “Vốn ngân sách”` for `indicators.local_budget`.

    It quotes the plan's own title of the part, or the message of a check; a part that is another agency's report has
    the name of that agency. A part without a title is named by its id, and an unknown kind of part by its whole name.
    """
    kind, _, part_id = name.partition(".")
    if kind not in _PART_LABELS:
        return name
    label = _PART_LABELS[kind].in_language(language)
    if kind == "parts":
        return f"{label} {(agency_names or {}).get(part_id, part_id)}"
    title = _find_part_title(kind, part_id, obligation, plan)
    if title is None and kind == "sections":
        title = SECTION_TITLES.get(part_id)
    return f"{label} “{title.in_language(language)}”" if title else f"{label} {part_id}".rstrip()


def _find_part_title(kind: str, part_id: str, obligation: Obligation, plan: Plan) -> Bilingual | None:
    """Return the title of a part, from the latest version of the obligation that gives it one."""
    versions = reversed(obligation.versions)
    return next((title for one in versions if (title := _title_in(one, kind, part_id, plan))), None)


def _title_in(version: ObligationVersion, kind: str, part_id: str, plan: Plan) -> Bilingual | None:
    match kind:
        case "sections":
            sections = (*version.requires.sections, *version.accepts.sections)
            titles = [section.title for section in sections if section.id == part_id]
        case "indicators":
            indicator = plan.find_indicator(version, part_id)
            titles = [] if indicator is None else [indicator.title]
        case "checks":
            titles = [check.message for check in version.requires.checks if check.id == part_id]
        case _:
            titles = []
    return next(filter(None, titles), None)


def describe_missing(line: DutyLine, obligation: Obligation, plan: Plan, language: str = "vi") -> str:
    """Return the labels of everything that a line misses, separated by semicolons."""
    return "; ".join(missing_part_label(name, obligation, plan, language=language) for name in line.missing)


def describe_urging(urging: Urging, zone: tzinfo, language: str = "vi") -> str:
    """Return how often, by which channels and when last an agency was alerted; empty where no alert was called for."""
    if not urging.occasions:
        return describe_unsent(urging, language)
    # A no-break space (U+00A0) keeps a channel and its count on one line.
    channels = ", ".join(
        f"{CHANNEL_LABELS[channel].in_language(language)}\u00a0{count}" for channel, count in urging.by_channel
    )
    day = urging.last_at.astimezone(zone).date() if urging.last_at else None
    if language == "vi":
        return f"{urging.occasions} lần ({channels}), cuối {vietnamese_locale.format_date(day) if day else ''}"
    times = "once" if urging.occasions == 1 else f"{urging.occasions} times"
    return f"{times} ({channels}), last on {f'{day.day} {day:%B %Y}' if day else ''}"


def describe_unsent(urging: Urging, language: str = "vi") -> str:
    """Return what is known of alerts of which none is known to have been taken."""
    if urging.unknown:
        return "đã gửi, chưa xác định" if language == "vi" else "sent, outcome unknown"
    if urging.unsent:
        return "không liên hệ được" if language == "vi" else "could not be reached"
    return ""


def describe_effect(line: DutyLine, zone: tzinfo) -> str:
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
            return status_label(line.status).lower()
