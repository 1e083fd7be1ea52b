"""The base of every model in a plan or registry file."""

from pydantic import BaseModel, ConfigDict


class DocumentModel(BaseModel):
    """Base of every model in a plan or registry file: frozen, and refusing unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
