"""`dondoc deliveries evidence`: what an agency was told about one duty, as a signed sheet for the files."""

import hashlib
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from schemas.events.ids import DutyKey
from schemas.plan.values import Bilingual
from services.console.commands.notifier import ledger_queries, published_plans
from services.console.evidence import sheet
from services.console.evidence.sheet import SheetSubject
from services.console.support import inputs, output
from services.console.support.inputs import UnusableInputError
from services.intake.receipts import signing
from services.intake.receipts.signing import Signer, SigningKeysError
from services.intake.settings import IntakeSettings
from services.notifier.history.notice_store import NoticeStore
from services.notifier.settings import NotifierSettings
from services.runtime.clock import clock_from

SIGNATURE_SUFFIX = ".jws"


def evidence(
    plan: Annotated[str, typer.Argument(metavar="PLAN", help="The plan's id.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="The period; - for a duty without one.")],
    *,
    agency: Annotated[str, typer.Option(metavar="A", help="Whose report it is about.")],
    obligation: Annotated[str, typer.Option(metavar="ID", help="Which report.")],
    file: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.pdf", help="Where to write the sheet.")],
    folders: Annotated[
        list[Path] | None,
        typer.Option(
            "--folder", metavar="DIR", help="Folder with plan.yaml and registry.yaml; else what is published."
        ),
    ] = None,
) -> None:
    """Write the evidence sheet of a duty: each notice with its text, times and outcomes; exit 1 if there is none.

    The signature lies beside it as FILE.pdf.jws, made with the key that signs receipts. Anybody can check it offline:
    dondoc receipt verify FILE.pdf.jws --event FILE.pdf
    """
    with output.exit_on_errors():
        subject = _find_subject(plan, period, agency, obligation, folders)
        signer = _read_signer()
        notices = ledger_queries.run_query(lambda client, name: NoticeStore(client, name).find(subject.duty))
        if not notices:
            output.print_message(_describe_silence(subject))
            raise typer.Exit(output.EXIT_NEGATIVE)
        document = sheet.render_sheet(subject, notices)
        claim = {
            "evidence": str(subject.duty),
            "made_at": subject.made_at.isoformat(timespec="milliseconds"),
            "notices": str(len(notices)),
            "sha256": hashlib.sha256(document).hexdigest(),
        }
        signature = signer.sign(msgspec.Raw(msgspec.json.encode([claim])))
        _write(file, document)
        _write(file.with_name(f"{file.name}{SIGNATURE_SUFFIX}"), f"{signature}\n".encode())
        output.print_json(claim)


def _describe_silence(subject: SheetSubject) -> Bilingual:
    return Bilingual.of(en=f"nothing was told about {subject.duty}", vi=f"chưa gửi thông báo nào về {subject.duty}")


def _find_subject(
    plan_id: str, period: str, agency: str, obligation_id: str, folders: list[Path] | None
) -> SheetSubject:
    documents = published_plans.read_documents(folders)
    plan, registry = next(((one, other) for one, other in documents if one.plan == plan_id), (None, None))
    if plan is None or registry is None:
        known = ", ".join(one.plan for one, _ in documents) or "-"
        detail = Bilingual.of(
            en=f"there is no such plan; known: {known}", vi=f"không có kế hoạch này; hiện có: {known}"
        )
        raise UnusableInputError(detail, place=f"PLAN {plan_id}")
    obligation = plan.obligation(obligation_id)
    if obligation is None:
        known = ", ".join(one.id for one in plan.obligations)
        detail = Bilingual.of(
            en=f"the plan has none of that name; it has {known}", vi=f"kế hoạch không có nhiệm vụ này; hiện có: {known}"
        )
        raise UnusableInputError(detail, place=f"--obligation {obligation_id}")
    if registry.agency(agency) is None:
        detail = Bilingual.of(en=f"the registry has no agency {agency}", vi=f"danh sách đơn vị không có “{agency}”")
        raise UnusableInputError(detail, place="--agency")
    named = None if period == "-" else inputs.read_period(period, f"PERIOD {period}").text
    return SheetSubject(
        duty=DutyKey(plan=plan_id, agency=agency, obligation=obligation_id, period=named),
        plan=plan,
        registry=registry,
        obligation=obligation,
        made_at=clock_from(NotifierSettings().clock).now(),
    )


def _read_signer() -> Signer:
    settings = IntakeSettings()
    try:
        return Signer(signing.load_keys(settings.signing_keys), settings.issuer)
    except (SigningKeysError, OSError) as cause:
        detail = Bilingual.of(
            en="no file of signing keys; set DONDOC_INTAKE_SIGNING_KEYS to that of intake",
            vi="không phải tệp khóa ký; hãy đặt DONDOC_INTAKE_SIGNING_KEYS là tệp của dịch vụ tiếp nhận",
        )
        raise UnusableInputError(detail, place=str(settings.signing_keys)) from cause


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as cause:
        raise inputs.refuse_file(path, cause) from cause
