"""One door for bytes: nobody but `services.runtime.decoding` decodes JSON, and the other doors that are listed here."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOOR = "services/runtime/decoding.py"

# Who may decode JSON besides, and why: none of these bytes comes from a record of the bus.
OTHER_DOORS = {
    "services/intake/cloudevents/": "HTTP requests, whose senders are told what is wrong in two languages",
    "services/intake/http/": "the key file, and the answers of rules to a dry run",
    "services/intake/form/": "answers of intake's own pipeline, and the content of its own receipts",
    "services/intake/receipts/": "receipts that somebody shows, and the file of the signing keys",
    "services/runtime/access/link_revocations.py": "the file of revoked links, which `dondoc links revoke` writes",
    "services/reporting/http/access/reader_keys.py": "the file of readers, which `dondoc readers` writes",
    "services/intake/published_plans.py": "the snapshot that intake itself wrote beside its spool",
    "services/notifier/channels/http_gateway.py": "what a provider of SMS answers",
    "services/reporting/answer_poster.py": "what intake answers to an officer's answer",
    "services/reporting/core/lists/sorting.py": "cursors of reporting's own, or what somebody sends instead",
    "services/reporting/sealing/draft_compiler.py": "the figures that reporting itself has sealed",
    "services/reporting/http/": "bodies of HTTP requests, and the figures that reporting itself has sealed",
    "services/console/commands/intake/event_files.py": "files of events that somebody submits",
    "services/console/commands/operations/demo.py": "the report that reporting answered with",
    "services/console/commands/plans/": "documents that the program itself wrote",
    "services/console/support/inputs.py": "files of questions",
    "services/console/support/receipt_files.py": "files of receipts",
    "services/runtime/typst.py": "what the Typst compiler answers",
}
DECODERS = {"json.loads", "json.load", "msgspec.json.decode", "msgspec.json.Decoder"}
DECODING_METHOD = "model_validate_json"


def find_decoders(source: str) -> list[str]:
    """Return every decoder of JSON that *source* names, whatever the module was imported as."""
    tree = ast.parse(source)
    aliases: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            # `import a.b` binds `a`, `import a.b as c` binds `c` to `a.b`.
            aliases |= {one.asname: one.name for one in node.names if one.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            aliases |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
    names = [_qualified_name(node, aliases) for node in ast.walk(tree) if isinstance(node, ast.Attribute | ast.Name)]
    return [name for name in names if name in DECODERS or name.rpartition(".")[2] == DECODING_METHOD]


def _qualified_name(node: ast.expr, aliases: dict[str, str]) -> str:
    match node:
        case ast.Name(id=name):
            return aliases.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{_qualified_name(value, aliases)}.{attr}"
        case _:
            return ""


def test_records_are_decoded_at_the_door_alone() -> None:
    """A module of a service that decodes JSON is the door, or one of the other doors that have a reason."""
    found = {
        str(path.relative_to(ROOT)): decoders
        for path in sorted((ROOT / "services").rglob("*.py"))
        if (decoders := find_decoders(path.read_text(encoding="utf-8")))
    }
    assert DOOR in found
    elsewhere = [path for path in found if path != DOOR and not path.startswith(tuple(OTHER_DOORS))]
    assert elsewhere == [], "decode records with services.runtime.decoding"
    unused = [door for door in OTHER_DOORS if not any(path.startswith(door) for path in found)]
    assert unused == [], "strike them off the list"


@pytest.mark.parametrize(
    "source",
    [
        "import json\njson.loads(record.value)",
        "import json as j\nj.loads(record.value)",
        "from json import loads\nloads(record.value)",
        "import msgspec\nD = msgspec.json.Decoder(T)",
        "import msgspec.json\nmsgspec.json.decode(b)",
        "from msgspec import json\njson.decode(b)",
        "from msgspec.json import Decoder\nDecoder(T)",
        "Plan.model_validate_json(value)",
    ],
)
def test_a_decoder_is_found_however_it_is_imported(source: str) -> None:
    """The rule sees through other names of the modules and functions."""
    assert find_decoders(source)


def test_encoding_is_no_decoding() -> None:
    """Encoders are free."""
    assert find_decoders("import json, msgspec\njson.dumps({})\nmsgspec.json.encode({})") == []
