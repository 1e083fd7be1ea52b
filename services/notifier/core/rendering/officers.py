"""Officers: whom a letter names for questions, one for each plan; they are set where the notifier runs."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

_NOT_DIALLED = re.compile(r"[^\d+]")
_ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_ADDRESS = r"^[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+$"


class Officer(BaseModel):
    """The officer of the recipient who follows the reports of a plan; without a telephone letters name no person."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, pattern=_ONE_LINE)
    unit: str = Field(default="", pattern=_ONE_LINE)
    phone: str = Field(default="", pattern=r"^[\d +().-]*$")
    email: str = Field(default="", pattern=rf"^$|{_ADDRESS}")

    @property
    def title(self) -> str:
        """The name with the unit."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def phone_e164(self) -> str:
        """The number as telephones dial it: 0237 3851 234 is +842373851234."""
        digits = _NOT_DIALLED.sub("", self.phone)
        return f"+84{digits[1:]}" if digits.startswith("0") else digits


OfficerBook = Mapping[str, Officer]
