"""What is damaged in a spool: logged once, counted, and told until `dondoc spool recover` has dealt with it."""

import logging
from collections.abc import Mapping

from services.intake.metrics import SpoolMetrics
from services.intake.spool.segment_scan import DamagedRange

log = logging.getLogger(__name__)


class SpoolDamage:
    """The damaged files of one spool folder, by their names without the suffix."""

    def __init__(self, metrics: SpoolMetrics) -> None:
        self._metrics = metrics
        self._files: set[str] = set()
        self._reported: set[tuple[str, int]] = set()

    @property
    def is_none(self) -> bool:
        """Whether everything that the spool was given is on the log or can be read."""
        return not self._files

    def add_file(self, name: str) -> None:
        """Take note of a damaged file that was reported when it was found."""
        self._files.add(name)
        self._metrics.damaged_files.set(len(self._files))

    def report_range(self, name: str, damaged: DamagedRange) -> None:
        """Report *damaged* bytes in the segment *name*, once."""
        extra = {"start": damaged.start, "end": damaged.end}
        self._report(name, damaged.start, "a segment of the spool is damaged", damaged.records, extra)

    def report_file(self, name: str, sentence: str, *, events: int | None) -> None:
        """Report, once and in a constant *sentence*, what is wrong with a whole file; *events* were lost with it."""
        self._report(name, -1, sentence, events, {})

    def _report(self, name: str, place: int, sentence: str, events: int | None, extra: Mapping[str, int]) -> None:
        if (name, place) in self._reported:
            return
        self._reported.add((name, place))
        # Where nobody knows how many events are lost, at least one is: the counter must not stay at zero.
        self._metrics.damaged_events.inc(1 if events is None else events)
        fields = {"action": "spool_damaged", "segment": name, "events_lost": events, **extra}
        log.critical(sentence, extra=fields)
        self.add_file(name)
