"""The frame of every page: navigation, the reader, and the instant that its figures are of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from schemas.plan.values import Bilingual
from services.reporting.core.access.readers import Reader, ReaderScope
from services.reporting.dashboard import page_links
from services.reporting.dashboard.time_bar import TimeBar
from services.reporting.queries import QueryContext

# Where no plan says which zone its days are of.
DEFAULT_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")

_EVERYTHING = Bilingual(vi="toàn bộ", en="everything")
_SEALED = Bilingual(vi="báo cáo đã chốt", en="sealed reports")
_REVIEWS = Bilingual(vi="được trả lại, tiếp nhận", en="may return and accept")
_SEALS = Bilingual(vi="được chốt báo cáo", en="may seal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the navigation; its title is the text `place_NAME`."""

    name: str
    path: str


# Each page says by its `place` under which entry it stands.
PLACES = (
    Place(name="season", path="/"),
    Place(name="duties", path="/duties"),
    Place(name="results", path="/results"),
    Place(name="changes", path="/changes"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFrame:
    """What surrounds one page.

    `moment` is None on a page without figures, `chosen` holds the parameters that the navigation passes on (plan and
    period), and `now_link` leads to the same question asked now.
    """

    places: tuple[Place, ...] = ()
    chosen: Mapping[str, str] = field(default_factory=dict)
    reader: str = ""
    moment: QueryContext | None = None
    time_bar: TimeBar | None = None
    is_past: bool = False
    now_link: str = "/"
    zone: ZoneInfo = DEFAULT_ZONE


def list_places(scope: ReaderScope) -> tuple[Place, ...]:
    """Return the places that a reader of *scope* can go to."""
    if not scope.covers_duties:
        return ()
    own = scope.own_agency
    return PLACES if own is None else (Place(name="own", path=page_links.agency_path(own)), *PLACES)


def describe_reader(reader: Reader, name: str, language: str) -> str:
    """Return who reads, under *name*, what of, and what else they may."""
    parts = [name, _describe_scope(reader.scope, language)]
    if reader.may_review:
        parts.append(_REVIEWS.in_language(language))
    if reader.may_seal:
        parts.append(_SEALS.in_language(language))
    return " · ".join(filter(None, parts))


def _describe_scope(scope: ReaderScope, language: str) -> str:
    if scope.is_everything:
        return _EVERYTHING.in_language(language)
    sealed = [_SEALED.in_language(language)] if scope.has_sealed else []
    return ", ".join((*sorted(scope.groups), *sealed))
