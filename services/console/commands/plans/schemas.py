"""`dondoc schemas`: generates the published schemas and the AsyncAPI document from the models, or checks them."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from ruamel.yaml import YAML

from schemas.events import asyncapi, catalogue
from services.console.support import output
from services.console.support.inputs import UnusableInputError, read_text

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the published schemas.")]
DEFAULT_FOLDER = Path("schemas")
SCHEMAS, EXAMPLES, BUS = "jsonschema", "examples", "asyncapi.yaml"

app = typer.Typer(help="Write the published schemas from the models, or check that they are what the models say.")


@app.command()
def write(folder: Folder = DEFAULT_FOLDER) -> None:
    """Write the JSON Schema of every event and document, and the AsyncAPI document of the bus."""
    with output.exit_on_errors():
        for name, text in generate_files(folder).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
            output.print_message(f"wrote {folder / name}")


@app.command()
def check(folder: Folder = DEFAULT_FOLDER) -> None:
    """Name every published file that is not what the models say; exit 1 if there is one."""
    with output.exit_on_errors():
        departures = find_drift(folder)
    for departure in departures:
        output.print_message(departure)
    raise typer.Exit(output.EXIT_NEGATIVE if departures else 0)


def find_drift(folder: Path) -> list[str]:
    """Return a line for each file of *folder* that is missing, changed or left over."""
    wanted = generate_files(folder)
    found = {f"{SCHEMAS}/{one.name}" for one in (folder / SCHEMAS).glob("*.json")}
    return [
        *(
            f"{folder / name}: not what the models say; run `dondoc schemas write`"
            for name in wanted
            if _differs(folder / name, wanted[name])
        ),
        *(f"{folder / name}: no model has this schema; delete it" for name in sorted(found - set(wanted))),
    ]


def generate_files(folder: Path) -> Mapping[str, str]:
    """Return the text of every generated file by its name below *folder*; the examples are read from *folder*."""
    places = {one.name: f"{SCHEMAS}/{one.name}.schema.json" for one in catalogue.MESSAGES}
    texts = {places[one.name]: _dump_json(catalogue.json_schema(one)) for one in catalogue.MESSAGES}
    bus = asyncapi.document({name: f"./{place}" for name, place in places.items()}, read_examples(folder))
    texts |= {
        f"{SCHEMAS}/{name}.schema.json": _dump_json(catalogue.document_schema(name)) for name in catalogue.DOCUMENTS
    }
    return texts | {BUS: _dump_yaml(bus)}


def read_examples(folder: Path) -> Mapping[str, Any]:
    """Return the example of each message that has one, by the message's name."""
    found = {}
    for path in sorted((folder / EXAMPLES).glob("*.json")):
        try:
            found[path.stem] = json.loads(read_text(path))
        except ValueError as cause:
            raise UnusableInputError(f"{path}: not JSON: {cause}") from cause
    return found


def _differs(path: Path, text: str) -> bool:
    return not path.is_file() or path.read_text(encoding="utf-8") != text


def _dump_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _dump_yaml(value: object) -> str:
    writer = YAML()
    writer.width = 120
    text = io.StringIO()
    writer.dump(value, text)
    return text.getvalue()
