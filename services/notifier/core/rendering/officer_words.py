"""Phrases of the officer's weekly digest, in both languages; dates and counts are those of every letter."""

from collections.abc import Mapping
from datetime import date
from typing import Protocol

from schemas.events.assessments import StepKind
from schemas.events.deliveries import Channel
from services.notifier.core.rendering.english import English
from services.notifier.core.rendering.vietnamese import Vietnamese
from services.notifier.core.scheduling.officer_digest import Unreached
from services.notifier.core.scheduling.routing import Language


class OfficerWords(Protocol):
    """How a language says the rows of the digest."""

    everything: str
    this_plan: str

    def note_unreached(self, reason: Unreached, channel: Channel | None, since: date | None) -> str: ...

    def note_review(self, received_on: date, *, is_replacement: bool) -> str: ...

    def name_week(self, monday: date, friday: date) -> str: ...

    def note_overdue(self, distance: str, *, urged: int, promised: str, lacks: str) -> str: ...

    def name_sending(self, kind: StepKind, ordinal: str, *, to_list: str) -> str: ...


_VI, _EN = Vietnamese(), English()
VI_CHANNELS = {Channel.EMAIL: "thư điện tử", Channel.SMS: "tin nhắn"}
_EN_CHANNELS = {Channel.EMAIL: "e-mail", Channel.SMS: "text message"}
_VI_REASONS: Mapping[Unreached, str] = {
    Unreached.NO_CONTACT: "chưa có đầu mối nhận thư, tin nhắn",
    Unreached.SUSPENDED: "địa chỉ không còn nhận được",
    Unreached.CAME_BACK: "lần gửi gần nhất không đến nơi nhận",
}
_EN_REASONS: Mapping[Unreached, str] = {
    Unreached.NO_CONTACT: "no contact is known",
    Unreached.SUSPENDED: "the address takes nothing any more",
    Unreached.CAME_BACK: "the last message did not arrive",
}
VI_KINDS: Mapping[StepKind, str] = {
    StepKind.URGING: "đôn đốc",
    StepKind.OPENING: "thư đề nghị chuẩn bị báo cáo",
    StepKind.REMINDER: "nhắc thời hạn",
    StepKind.INCOMPLETE: "đề nghị bổ sung",
    StepKind.RETURNED: "đề nghị hoàn thiện",
    StepKind.RECEIVED: "thông báo đã nhận đầy đủ",
    StepKind.EXTENSION: "thông báo gia hạn",
    StepKind.EXEMPTION: "thông báo miễn gửi",
    StepKind.SUCCESSION: "thông báo thay đổi cơ quan gửi",
    StepKind.ESCALATION: "thư đề nghị cơ quan cấp trên chỉ đạo",
}
_EN_KINDS: Mapping[StepKind, str] = {
    StepKind.OPENING: "openings of the season",
    StepKind.REMINDER: "reminders",
    StepKind.INCOMPLETE: "requests to complete",
    StepKind.RETURNED: "requests to revise",
    StepKind.RECEIVED: "confirmations of receipt",
    StepKind.EXTENSION: "notices of extension",
    StepKind.EXEMPTION: "notices of exemption",
    StepKind.SUCCESSION: "notices of succession",
    StepKind.ESCALATION: "letters to the body above",
}


class VietnameseOfficerWords:
    """The rows of the digest in Vietnamese."""

    everything = "toàn bộ việc gửi"
    this_plan = "các thư về kế hoạch này"

    def note_unreached(self, reason: Unreached, channel: Channel | None, since: date | None) -> str:
        parts = (
            VI_CHANNELS[channel] if channel else "",
            _VI_REASONS[reason],
            f"từ ngày {_VI.full_date(since)}" if since else "",
        )
        return "; ".join(filter(None, parts))

    def note_review(self, received_on: date, *, is_replacement: bool) -> str:
        why = "bản thay thế sau khi đề nghị hoàn thiện" if is_replacement else "các văn bản khác nhau, cần đối chiếu"
        return f"nhận ngày {_VI.full_date(received_on)}; {why}"

    def name_week(self, monday: date, friday: date) -> str:
        """Return the week with the year once: `23/12-27/12/2024`."""
        first = _VI.day_and_month(monday) if monday.year == friday.year else _VI.full_date(monday)
        return f"{first}-{_VI.full_date(friday)}"

    def note_overdue(self, distance: str, *, urged: int, promised: str, lacks: str) -> str:
        parts = (
            distance,
            f"đôn đốc {urged} lần" if urged else "",
            f"hẹn gửi ngày {promised}" if promised else "",
            f"còn thiếu: {lacks}" if lacks else "",
        )
        return "; ".join(filter(None, parts))

    def name_sending(self, kind: StepKind, ordinal: str, *, to_list: str) -> str:
        if kind is StepKind.ESCALATION and to_list:
            return f"danh sách báo cáo {to_list}"
        return f"đôn đốc lần {ordinal}" if kind is StepKind.URGING else VI_KINDS[kind]


class EnglishOfficerWords:
    """The rows of the digest in English."""

    everything = "all sending"
    this_plan = "what is about this plan"

    def note_unreached(self, reason: Unreached, channel: Channel | None, since: date | None) -> str:
        parts = (
            _EN_CHANNELS[channel] if channel else "",
            _EN_REASONS[reason],
            f"since {_EN.full_date(since)}" if since else "",
        )
        return "; ".join(filter(None, parts))

    def note_review(self, received_on: date, *, is_replacement: bool) -> str:
        why = "new version after a request to revise" if is_replacement else "reports that differ, to be reconciled"
        return f"received on {_EN.full_date(received_on)}; {why}"

    def name_week(self, monday: date, friday: date) -> str:
        """Return the week with month and year once where they are the same: `23-27 Dec 2024`."""
        if monday.month == friday.month:
            first = str(monday.day)
        else:
            first = _EN.day_and_month(monday) if monday.year == friday.year else _EN.short_date(monday)
        return f"{first}-{_EN.short_date(friday)}"

    def note_overdue(self, distance: str, *, urged: int, promised: str, lacks: str) -> str:
        parts = (
            distance,
            f"urged {urged} time{'s' if urged > 1 else ''}" if urged else "",
            f"promised for {promised}" if promised else "",
            f"missing: {lacks}" if lacks else "",
        )
        return "; ".join(filter(None, parts))

    def name_sending(self, kind: StepKind, ordinal: str, *, to_list: str) -> str:
        if kind is StepKind.ESCALATION and to_list:
            return f"list to {to_list}"
        return f"{ordinal} requests" if kind is StepKind.URGING else _EN_KINDS[kind]


OFFICER_WORDS: Mapping[Language, OfficerWords] = {"vi": VietnameseOfficerWords(), "en": EnglishOfficerWords()}
