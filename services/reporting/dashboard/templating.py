"""The template environment of the dashboard: everything escaped, a few filters, and the texts in both languages."""

from datetime import date, datetime, tzinfo
from decimal import Decimal
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from schemas.content import citations
from schemas.events.assessments import Status
from schemas.plan import periods
from schemas.plan.values import Bilingual
from schemas.text import normal_form
from services.reporting.core import labels, vietnamese_locale
from services.reporting.dashboard import page_links
from services.reporting.dashboard.evidence_texts import EVIDENCE_TEXTS
from services.reporting.dashboard.season_texts import SEASON_TEXTS

TEXTS = {
    "title": Bilingual(vi="Theo dõi báo cáo", en="Report tracking"),
    "skip": Bilingual(vi="Đến nội dung chính", en="Skip to the content"),
    "plan": Bilingual(vi="Kế hoạch", en="Plan"),
    "period": Bilingual(vi="Kỳ", en="Period"),
    "obligation": Bilingual(vi="Nghĩa vụ", en="Obligation"),
    "group": Bilingual(vi="Nhóm", en="Group"),
    "status": Bilingual(vi="Tình trạng", en="Status"),
    "search": Bilingual(vi="Tìm đơn vị", en="Find an agency"),
    "search_hint": Bilingual(vi="có dấu hoặc không dấu", en="with or without accents"),
    "show": Bilingual(vi="Xem", en="Show"),
    "deadline": Bilingual(vi="Hạn cuối", en="Deadline"),
    "no_deadline": Bilingual(vi="Kế hoạch không quy định thời hạn", en="The plan sets no date"),
    "rate": Bilingual(vi="Tỷ lệ gửi", en="Reporting rate"),
    "rate_on_time": Bilingual(vi="Tỷ lệ đúng hạn", en="Reporting rate on time"),
    "agency": Bilingual(vi="Đơn vị", en="Agency"),
    "due": Bilingual(vi="Hạn cuối (hết ngày)", en="Due by the end of"),
    "received": Bilingual(vi="Thời điểm gửi", en="Received"),
    "days_late": Bilingual(vi="Số ngày trễ", en="Days late"),
    "missing": Bilingual(vi="Còn thiếu, ghi chú", en="Missing, notes"),
    "urged": Bilingual(vi="Nhắc, đôn đốc", en="Reminded, urged"),
    "none_found": Bilingual(vi="Không có đơn vị nào phù hợp.", en="No agency matches."),
    "clear": Bilingual(vi="Bỏ lọc", en="Clear filters"),
    "report": Bilingual(vi="Báo cáo năm", en="Annual report"),
    "undated": Bilingual(vi="Nhiệm vụ không có thời hạn", en="Duties without a date"),
    "nothing_yet": Bilingual(vi="Chưa có kế hoạch nào được công bố.", en="No plan is published yet."),
    "nothing_yet_hint": Bilingual(
        vi="Công bố kế hoạch bằng lệnh “dondoc publish”, rồi tải lại trang này.",
        en="Publish one with “dondoc publish”, then load this page again.",
    ),
    "check_question": Bilingual(
        vi="Không đọc được các giá trị sau trong địa chỉ trang; hãy sửa lại hoặc về bảng chung.",
        en="These values in the address cannot be read; correct them, or go back to the overview.",
    ),
    "check_address": Bilingual(
        vi="Không có kế hoạch, đơn vị hoặc trang nào ứng với địa chỉ này. Hãy kiểm tra lại địa chỉ.",
        en="No plan, agency or page is known by this address. Check how it is written.",
    ),
    "how_to_read": Bilingual(
        vi="Trang này chỉ mở cho người có liên kết hoặc khóa đọc. Cơ quan báo cáo mở bằng liên kết trong thư nhắc gần "
        "nhất; cán bộ theo dõi xin người vận hành hệ thống một liên kết (lệnh “dondoc readers link”).",
        en="This page opens for those who have a link or a reader's key. An agency opens the link in its latest mail; "
        "an officer asks the operator for a link (“dondoc readers link”).",
    ),
    "opening": Bilingual(vi="Đang mở trang theo dõi", en="The dashboard is opening"),
    "open_now": Bilingual(vi="Mở ngay", en="Open it now"),
    "counts": Bilingual(vi="Số nghĩa vụ theo tình trạng", en="Duties by status"),
    "try_again": Bilingual(
        vi="Dữ liệu vẫn an toàn. Hãy tải lại trang này sau giây lát.",
        en="The records are safe. Load this page again in a moment.",
    ),
    "no_duties": Bilingual(vi="Kỳ này chưa có nghĩa vụ nào.", en="Nobody owes anything in this period yet."),
    "places": Bilingual(vi="Trang chính", en="Main pages"),
    "place_season": Bilingual(vi="Mùa báo cáo", en="Season"),
    "help": Bilingual(vi="Trợ giúp", en="Help"),
    "help_lead": Bilingual(
        vi="Những từ và con số trên các trang này có nghĩa gì.", en="What the words and numbers of these pages mean."
    ),
    "manual": Bilingual(vi="Hướng dẫn sử dụng", en="The manual, in Vietnamese"),
    "help_statuses": Bilingual(vi="Tình trạng của một nghĩa vụ", en="The status of a duty"),
    "timebar": Bilingual(vi="Thời điểm của số liệu", en="The moment of the figures"),
    "now": Bilingual(vi="Bây giờ", en="Now"),
    "past": Bilingual(vi="Không phải số liệu bây giờ", en="These are not the figures of now"),
    "past_moment": Bilingual(
        vi="Số liệu lúc {as_of}, theo những gì đã ghi nhận đến {known_at}.",
        en="Figures as of {as_of}, by what was on record until {known_at}.",
    ),
    "to_now": Bilingual(vi="Về bây giờ", en="Back to now"),
    "stamp": Bilingual(
        vi="Số liệu lúc {as_of}, theo thông tin ghi nhận đến {known_at}.",
        en="Figures as of {as_of}, by what was on record until {known_at}.",
    ),
    "stamp_reader": Bilingual(vi="Người in:", en="Printed by:"),
    "unreadable_title": Bilingual(vi="Bản ghi không đọc được", en="Records that cannot be read"),
    "unreadable": Bilingual(
        vi="{count} bản ghi không đọc được; các nghĩa vụ liên quan chưa được tính ở đây. Hãy báo người vận hành.",
        en="{count} stored records cannot be read, and what they say is not counted here. Tell the operator.",
    ),
    "back": Bilingual(vi="Về bảng chung", en="Back to the overview"),
    "duty": Bilingual(vi="Nghĩa vụ", en="Duty"),
    "language": Bilingual(vi="English", en="Tiếng Việt"),
    "no_period": Bilingual(vi="không theo kỳ", en="no period"),
    "by_group": Bilingual(vi="Theo nhóm đơn vị", en="By group"),
    "weekdays": Bilingual(
        vi="thứ Hai,thứ Ba,thứ Tư,thứ Năm,thứ Sáu,thứ Bảy,Chủ nhật",
        en="Monday,Tuesday,Wednesday,Thursday,Friday,Saturday,Sunday",
    ),
    "verified": Bilingual(vi="Báo cáo đã được chốt", en="A sealed report"),
    "verified_hint": Bilingual(
        vi="Mã kiểm chứng này thuộc về báo cáo dưới đây. Mã được tính từ mọi số liệu của báo cáo.",
        en="This check code belongs to the report below. It is made from every figure of the report.",
    ),
    "check_code": Bilingual(vi="Mã kiểm chứng", en="Check code"),
    "sealed_report": Bilingual(vi="Kế hoạch, kỳ báo cáo", en="Plan and period"),
    "sealed_version": Bilingual(vi="Phiên bản", en="Version"),
    "sealed_signer": Bilingual(vi="Người ký", en="Signed by"),
    "sealed_at": Bilingual(vi="Thời điểm chốt", en="Sealed at"),
    "sealed_as_of": Bilingual(vi="Số liệu tính đến", en="Figures as of"),
    "sealed_known_at": Bilingual(vi="Theo thông tin ghi nhận đến", en="As known at"),
    "sealed_figures": Bilingual(vi="SHA-256 của toàn bộ số liệu", en="SHA-256 of all figures"),
    "sealed_documents": Bilingual(vi="Các tệp của phiên bản này", en="Documents of this version"),
    "sealed_format": Bilingual(vi="Định dạng", en="Format"),
    "sealed_size": Bilingual(vi="Số byte", en="Bytes"),
    "sealed_reports": Bilingual(vi="Báo cáo đã chốt", en="Sealed reports"),
    "sealed_none": Bilingual(vi="Chưa có phiên bản nào được chốt.", en="No version is sealed yet."),
    "sealed_draft": Bilingual(vi="Dự thảo phiên bản {version}", en="Draft of version {version}"),
    "sealed_changes": Bilingual(
        vi="{count} số liệu đã thay đổi so với phiên bản {version}.",
        en="{count:figure has|figures have} changed since version {version}.",
    ),
    "sealed_figure": Bilingual(vi="Số liệu", en="Figure"),
    "sealed_figures_file": Bilingual(vi="Số liệu", en="Figures"),
    "sealed_before": Bilingual(vi="Trước", en="Before"),
    "sealed_after": Bilingual(vi="Nay", en="After"),
    "sealed_events": Bilingual(vi="Sự kiện", en="Events"),
    "sealed_more_events": Bilingual(vi="và {count} sự kiện khác", en="and {count} more"),
    "sealed_more_changes": Bilingual(
        vi="{count} thay đổi khác có đủ trong trang tính “Thay đổi” của tệp XLSX.",
        en="{count} more stand in the sheet “Thay đổi” of the XLSX document.",
    ),
    "sealed_done": Bilingual(
        vi="Đã chốt phiên bản {version}, mã kiểm chứng {code}. Mọi số liệu và tệp của phiên bản này không đổi nữa.",
        en="Version {version} is sealed, with the check code {code}. Its figures and files do not change any more.",
    ),
    "sealed_seal": Bilingual(vi="Chốt phiên bản {version}", en="Seal version {version}"),
    "footer": Bilingual(
        vi="Mỗi con số dẫn tới những gì nó đếm. Tình trạng được tính từ các sự kiện đã ghi nhận, không phụ thuộc giờ "
        "chạy của hệ thống.",
        en="Every number leads to what it counts. Each status follows from the recorded events, not from when any job "
        "ran.",
    ),
}

_ALL_TEXTS = TEXTS | SEASON_TEXTS | EVIDENCE_TEXTS


def build_environment() -> Environment:
    """Return the template environment; an unknown name in a template is an error, not an empty text."""
    environment = Environment(
        loader=PackageLoader("services.reporting.dashboard"),
        autoescape=True,
        finalize=_drop_unseen,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        text=text,
        urlencode=urlencode,
        status_label=labels.status_label,
        status_label_of=_name_status,
        name_clause=name_clause,
    )
    environment.globals.update(
        agency_path=page_links.agency_path,
        compiled_path=page_links.compiled_path,
        duty_path=page_links.duty_path,
        event_path=page_links.event_path,
        plan_path=page_links.plan_path,
        registry_path=page_links.registry_path,
    )
    environment.filters.update(
        day=format_day,
        instant=format_instant,
        moment=format_moment,
        clock_time=format_clock_time,
        short_instant=format_short_instant,
        deadline=format_deadline,
        percent=format_percent,
        period_name=name_period,
        with_period=periods.add_period,
    )
    return environment


class Count(int):
    """A number that an English text fills in with its noun: `{count:day|days}` is `1 day` or `2 days`."""

    def __format__(self, nouns: str) -> str:
        one, bar, many = nouns.partition("|")
        return f"{int(self)} {one if self == 1 else many}" if bar else super().__format__(nouns)


def text(name: str, language: str, **values: object) -> str:
    """Return the text of that name, with *values* filled in."""
    counted = {name: Count(value) if type(value) is int else value for name, value in values.items()}
    return _ALL_TEXTS[name].in_language(language).format(**counted)


def name_clause(clause: str, language: str) -> str:
    """Return a clause in words, as they stand alone: `Mục III.1`, but `Khoản 1 Điều 7`."""
    words = citations.name_clause(clause).in_language(language)
    return f"{words[0].upper()}{words[1:]}"


def _drop_unseen(value: object) -> object:
    """Return what an expression of a template gives without characters that reverse or hide text; markup is ours."""
    return normal_form.drop_unseen(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _name_status(name: str, language: str) -> str:
    return labels.status_label(Status(name), language)


def format_day(value: date | None, language: str) -> str:
    """Format a date: 09/12/2026, or 9 December 2026."""
    if value is None:
        return ""
    return vietnamese_locale.format_date(value) if language == "vi" else f"{value.day} {value:%B %Y}"


def format_instant(value: datetime | None, zone: tzinfo, language: str) -> str:
    """Format an instant in local time, to the minute."""
    if value is None:
        return ""
    local = value.astimezone(zone)
    return f"{local:%H:%M} {format_day(local.date(), language)}"


def format_moment(value: datetime, zone: tzinfo, language: str) -> str:
    """Format an instant in local time with the day of the week: `17:00 thứ Hai, 09/12/2024`."""
    local = value.astimezone(zone)
    return f"{local:%H:%M} {format_weekday(local.date(), language)}, {format_day(local.date(), language)}"


def format_short_instant(value: datetime, zone: tzinfo, language: str) -> str:
    """Format an instant in a narrow column: the name of an English month by its first three letters."""
    local = value.astimezone(zone)
    return format_instant(value, zone, language) if language == "vi" else f"{local:%H:%M} {local.day} {local:%b %Y}"


def format_clock_time(value: datetime, now: datetime, zone: tzinfo, language: str) -> str:
    """Format an instant of the day of *now* by its hour alone, and any other with its date: `16:58`."""
    local = value.astimezone(zone)
    is_today = local.date() == now.astimezone(zone).date()
    return f"{local:%H:%M}" if is_today else format_instant(value, zone, language)


def format_deadline(value: datetime, zone: tzinfo, language: str) -> str:
    """Format a due instant in plain words: `end of 9 December 2026`, or `before 17:00 …` where it is no midnight."""
    if language == "vi":
        return vietnamese_locale.format_deadline(value, zone)
    local = value.astimezone(zone)
    if local.hour or local.minute or local.second:
        return f"before {format_instant(value, zone, language)}"
    return f"end of {format_day(vietnamese_locale.last_day_on_time(value, zone), language)}"


def format_percent(value: Decimal | None, language: str) -> str:
    """Format a ratio as a percentage, or as a dash where there is none."""
    if value is None or language == "vi":
        return vietnamese_locale.format_percent(value)
    return f"{value * 100:.1f}%"


def name_period(period: str | None, language: str) -> str:
    """Return a period in words: `quý III năm 2026`; empty where there is none."""
    return periods.name_period(periods.parse(period)).in_language(language) if period else ""


def format_weekday(value: date, language: str) -> str:
    """Return the day of the week in words."""
    return text("weekdays", language).split(",")[value.weekday()]
