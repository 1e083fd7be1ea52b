"""The file of officers: a YAML file that names for each plan whom its letters tell people to ask.

It stands where the notifier runs. An error names its place and never its content, which is personal data.
"""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from services.notifier.core.rendering.officers import Officer, OfficerBook

_BOOK = TypeAdapter(dict[str, Officer])


class OfficerFileError(Exception):
    """The file cannot be used; the message says where and why."""


def load_officers(path: Path | None) -> OfficerBook:
    """Return the officers by plan id; none where no file is set. Raises `OfficerFileError`."""
    if path is None:
        return {}
    try:
        found: OfficerBook = _BOOK.validate_python(YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {})
    except OSError as cause:
        raise OfficerFileError(f"DONDOC_NOTIFIER_OFFICERS: {path}: {cause.strerror}") from None
    except (UnicodeDecodeError, YAMLError) as cause:
        mark = cause.problem_mark if isinstance(cause, MarkedYAMLError) else None
        place = f" at line {mark.line + 1}" if mark else ""
        raise OfficerFileError(f"DONDOC_NOTIFIER_OFFICERS: {path} is no YAML{place}") from None
    except ValidationError as cause:
        first = cause.errors(include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise OfficerFileError(f"DONDOC_NOTIFIER_OFFICERS: {path}: {place}: {first['msg']}") from None
    return found
