"""The sentences of notices in English, as courteous as in Vietnamese."""

from schemas.events.assessments import StepKind
from services.notifier.core.rendering.template_context import AlertContext


def write_subject(alert: AlertContext, title: str) -> str:
    """Return the subject of a notice: what it tells, then the report."""
    match alert.kind:
        case StepKind.RECEIVED:
            return f"Received in full: {title}"
        case StepKind.EXTENSION:
            return f"New deadline: {title}"
        case StepKind.EXEMPTION:
            return f"Exempt: {title}"
        case StepKind.SUCCESSION:
            return f"Please take over: {title}" if alert.notice.is_to_heir else f"Another agency reports: {title}"
        case _:
            return f"Period opens: {title}"


def write_opening(alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
    """Return the first sentence of a notice."""
    decision = _name_decision(alert)
    match alert.kind:
        case StepKind.RECEIVED:
            return (
                f"{speaker} has received the report below from {alert.agency} in full and is grateful for it; "
                "nothing further is needed."
            )
        case StepKind.EXTENSION:
            return (
                f"{speaker} wishes to inform {alert.agency} that the report below has been extended{decision}, "
                f"and respectfully requests {alert.agency} to send it within the new time ({due})."
            )
        case StepKind.EXEMPTION:
            return (
                f"{speaker} wishes to inform {alert.agency} that it is exempt from sending the report below{decision}; "
                "nothing further is needed."
            )
        case StepKind.SUCCESSION:
            return _write_succession(alert, speaker=speaker, due=due, reader=reader)
        case _:
            return (
                f"{speaker} respectfully requests {alert.agency} to name a person in charge, "
                f"and to prepare and send the report below ({due})."
            )


def write_sms(alert: AlertContext, report: str) -> str:
    """Return what an SMS says of a notice."""
    match alert.kind:
        case StepKind.RECEIVED:
            return f"{report} of {alert.agency} has been received in full. Thank you"
        case StepKind.EXTENSION:
            return f"The deadline of {report} of {alert.agency} has been extended"
        case StepKind.EXEMPTION:
            return f"{alert.agency} is exempt from {report}{_name_decision(alert)}"
        case StepKind.SUCCESSION if alert.notice.is_to_heir:
            return f"You are kindly requested to take over {report} in place of {alert.agency}"
        case StepKind.SUCCESSION:
            return f"From {_passed_on(alert)} {report} is sent by {join_heirs(alert)}, not by {alert.agency}"
        case _:
            return f"{alert.agency} is kindly requested to prepare {report}"


def join_heirs(alert: AlertContext) -> str:
    """Return the names of those to whom the duty has passed, in a row."""
    *others, last = alert.notice.heirs or ("",)
    return f"{', '.join(others)} and {last}" if others else last


def _write_succession(alert: AlertContext, *, speaker: str, due: str, reader: str) -> str:
    since = _passed_on(alert)
    if alert.notice.is_to_heir:
        return (
            f"{speaker} respectfully requests {reader} to take over the task and to send the report below ({due}), "
            f"in place of {alert.agency} from {since}."
        )
    return (
        f"{speaker} wishes to inform you that from {since} the report below is sent by {join_heirs(alert)}; "
        f"{alert.agency} does not have to send it."
    )


def _passed_on(alert: AlertContext) -> str:
    return f"{alert.notice.passed_on:%d/%m/%Y}" if alert.notice.passed_on else ""


def _name_decision(alert: AlertContext) -> str:
    return f" by the decision of {alert.notice.decided_on:%d/%m/%Y}" if alert.notice.decided_on else ""
