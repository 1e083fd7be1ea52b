"""The results of a plan as an answer over HTTP. From one instant to the next, only the instants differ."""

import hashlib
from dataclasses import dataclass

from services.reporting.core import results_document
from services.reporting.core.access.readers import ReaderScope
from services.reporting.core.content import results_scope
from services.reporting.core.results_document import PlanResults
from services.reporting.documents import results_csv
from services.runtime import json_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedResults:
    """What does not change with the instant asked about, and its digest."""

    content: bytes
    digest: str


def encode_obligations(results: PlanResults, scope: ReaderScope) -> EncodedResults:
    """Return what the document of *results* has under `obligations`, as a reader of *scope* may see it."""
    return _digest(
        json_lines.encode_gradually([results_scope.build_obligation(one, scope) for one in results.obligations])
    )


def complete_document(results: PlanResults, obligations: EncodedResults) -> bytes:
    """Return the document of *results* as a line of JSON, as `dondoc results` prints it."""
    head = results_document.build_head(results)
    return json_lines.append_member(head, results_document.OBLIGATIONS, obligations.content)


def render_csv(results: PlanResults, scope: ReaderScope) -> EncodedResults:
    """Return the figures as CSV, in which no instant stands."""
    return _digest(results_csv.render_results_csv(results_scope.restrict_results(results, scope.covers_agency)))


def _digest(content: bytes) -> EncodedResults:
    return EncodedResults(content=content, digest=hashlib.sha256(content).hexdigest())
