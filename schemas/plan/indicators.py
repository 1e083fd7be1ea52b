"""The indicators of a plan: figures that are declared once and named by their code (contract section 7)."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from schemas.plan import figures, periods
from schemas.plan.document_model import DocumentModel
from schemas.plan.figures import Formula, PlanNumber
from schemas.plan.values import Bilingual, Identifier, NonBlank


def _require_formula(text: str) -> str:
    figures.parse_formula(text)
    return text


def _require_period(text: object) -> object:
    # YAML reads a year as a number.
    return periods.parse(str(text)).text


TargetPeriod = Annotated[str, BeforeValidator(_require_period)]


class IndicatorRequirement(DocumentModel):
    """A figure that must be given: the code of a declared indicator, or a definition in place.

    `min` and `max` are included in the range. A definition in place is a stock.
    """

    code: Identifier
    unit: NonBlank | None = None
    min: PlanNumber | None = None
    max: PlanNumber | None = None
    integer: bool = False
    title: Bilingual | None = None

    def label_in(self, language: str) -> str:
        """Return its title in *language*, or its code if it has no title."""
        return self.title.in_language(language) if self.title else self.code

    @property
    def is_bare(self) -> bool:
        """Whether it is nothing but a code."""
        return self == IndicatorRequirement(code=self.code)

    @model_serializer(mode="wrap")
    def _serialize_short(self, serialize: SerializerFunctionWrapHandler) -> object:
        return self.code if self.is_bare else serialize(self)


def _expand_code(given: object) -> object:
    return given if isinstance(given, dict | IndicatorRequirement) else {"code": given}


# An indicator in either form that a requirement may use: `customers`, or `{code: customers, unit: customer, min: 0}`.
RequiredIndicator = Annotated[
    IndicatorRequirement, BeforeValidator(_expand_code, json_schema_input_type=IndicatorRequirement | Identifier)
]


class Indicator(DocumentModel):
    """A figure that agencies are asked for.

    A stock is counted on the cut-off day, a flow over the window of the period; both are summed over the agencies. A
    ratio is worked out from totals by its `formula` and never summed. `target` is keyed by period.
    """

    code: Identifier
    title: Bilingual | None = None
    unit: NonBlank | None = None
    kind: Literal["stock", "flow", "ratio"] = "stock"
    min: PlanNumber | None = None
    max: PlanNumber | None = None
    integer: bool = False
    asked_of: tuple[Identifier, ...] = ()
    target: Mapping[TargetPeriod, PlanNumber] = Field(default_factory=dict)
    formula: Annotated[str, AfterValidator(_require_formula)] | None = None

    def label_in(self, language: str) -> str:
        """Return its title in *language*, or its code if it has no title."""
        return self.title.in_language(language) if self.title else self.code

    def is_asked_of(self, names: AbstractSet[str]) -> bool:
        """Whether the figure is asked of the agency that has *names*: its id and the ids of its groups."""
        return not self.asked_of or not names.isdisjoint(self.asked_of)

    def parse_formula(self) -> Formula | None:
        """Return the formula of a ratio; None for a stock or a flow."""
        return None if self.formula is None else figures.parse_formula(self.formula)


def define_in_place(requirement: IndicatorRequirement) -> Indicator:
    """Return the indicator that *requirement* defines: a stock."""
    return Indicator(
        code=requirement.code,
        title=requirement.title,
        unit=requirement.unit,
        min=requirement.min,
        max=requirement.max,
        integer=requirement.integer,
    )
