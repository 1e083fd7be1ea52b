"""The sentences of notices in Vietnamese: what has become of a duty, told without a question or a reproach."""

from schemas.events.assessments import StepKind
from services.notifier.core.rendering.template_context import AlertContext


def write_subject(alert: AlertContext, title: str) -> str:
    """Return the subject of a notice: what it tells, then the report."""
    match alert.kind:
        case StepKind.RECEIVED:
            return f"Đã nhận đầy đủ: {title}"
        case StepKind.EXTENSION:
            return f"Hạn mới: {title}"
        case StepKind.EXEMPTION:
            return f"Miễn gửi: {title}"
        case StepKind.SUCCESSION:
            return f"Tiếp nhận: {title}" if alert.notice.is_to_heir else f"Thay đổi cơ quan gửi: {title}"
        case _:
            return f"Mở kỳ: {title}"


def write_opening(alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
    """Return the first sentence of a notice."""
    decision = _name_decision(alert)
    match alert.kind:
        case StepKind.RECEIVED:
            return (
                f"{speaker} đã nhận đầy đủ báo cáo dưới đây của {alert.agency} và trân trọng cảm ơn; "
                f"{alert.agency} không cần thực hiện thêm việc gì."
            )
        case StepKind.EXTENSION:
            return (
                f"{speaker} trân trọng thông báo báo cáo dưới đây của {alert.agency} được gia hạn{decision}; "
                f"kính đề nghị {alert.agency} gửi báo cáo trong thời hạn mới ({due})."
            )
        case StepKind.EXEMPTION:
            return (
                f"{speaker} trân trọng thông báo {alert.agency} được miễn gửi báo cáo dưới đây{decision}; "
                f"{alert.agency} không cần thực hiện thêm việc gì."
            )
        case StepKind.SUCCESSION:
            return _write_succession(alert, speaker=speaker, due=due, reader=reader)
        case _:
            return f"{speaker} kính đề nghị {alert.agency} phân công đầu mối, chuẩn bị và gửi báo cáo dưới đây ({due})."


def write_sms(alert: AlertContext, report: str) -> str:
    """Return what an SMS says of a notice, in words that survive without their marks."""
    match alert.kind:
        case StepKind.RECEIVED:
            return f"Đã nhận đầy đủ {report} của {alert.agency}. Trân trọng cảm ơn Quý cơ quan"
        case StepKind.EXTENSION:
            return f"Hạn gửi {report} của {alert.agency} được gia hạn"
        case StepKind.EXEMPTION:
            return f"{alert.agency} được miễn gửi {report}{_name_decision(alert)}"
        case StepKind.SUCCESSION if alert.notice.is_to_heir:
            return f"Kính đề nghị tiếp nhận, gửi {report} thay cho {alert.agency}"
        case StepKind.SUCCESSION:
            return f"Từ {_passed_on(alert)}, {report} do {join_heirs(alert)} gửi, {alert.agency} không phải gửi"
        case _:
            return f"Kính đề nghị {alert.agency} chuẩn bị {report}"


def join_heirs(alert: AlertContext) -> str:
    """Return the names of those to whom the duty has passed, in a row."""
    *others, last = alert.notice.heirs or ("",)
    return f"{', '.join(others)} và {last}" if others else last


def _write_succession(alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
    since = _passed_on(alert)
    if alert.notice.is_to_heir:
        return (
            f"{speaker} kính đề nghị {reader} tiếp nhận nhiệm vụ và gửi báo cáo dưới đây ({due}), "
            f"thay cho {alert.agency} từ ngày {since}."
        )
    return (
        f"{speaker} trân trọng thông báo: từ ngày {since}, báo cáo dưới đây do {join_heirs(alert)} gửi; "
        f"{alert.agency} không phải gửi báo cáo này."
    )


def _passed_on(alert: AlertContext) -> str:
    return f"{alert.notice.passed_on:%d/%m/%Y}" if alert.notice.passed_on else ""


def _name_decision(alert: AlertContext) -> str:
    return f" theo văn bản ngày {alert.notice.decided_on:%d/%m/%Y}" if alert.notice.decided_on else ""
