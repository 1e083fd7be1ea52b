"""`dondoc receipt`: genuine receipts pass offline, anything altered does not, and rotation keeps the old ones good."""

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from services.console.commands.intake import receipt
from services.intake.core.fact_record import Receipt
from services.intake.receipts import signing

EVENT = b'{"id": "1"}'
RECEIPT = Receipt(
    id="1",
    source="urn:x",
    receiptid="0" * 32,
    receivedtime="2024-12-09T16:59:59.999Z",
    sha256=hashlib.sha256(EVENT).hexdigest(),
)


@pytest.fixture
def signing_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of signing keys of this machine's intake, which is not there yet."""
    path = tmp_path / "signing.json"
    monkeypatch.setenv("DONDOC_INTAKE_SIGNING_KEYS", str(path))
    return path


def signer(path: Path) -> signing.Signer:
    """Return the signer with the keys in force; the file is created if it is missing."""
    return signing.Signer(signing.load_keys(path), "intake")


def an_answer(path: Path) -> dict[str, object]:
    """Build an answer of intake with one signed receipt."""
    return {
        "receipts": [msgspec.to_builtins(RECEIPT)],
        "jws": signer(path).sign(msgspec.Raw(msgspec.json.encode([RECEIPT]))),
    }


def run_verify(file: Path, *options: str) -> int:
    """Return the exit code of `dondoc receipt verify`."""
    return CliRunner().invoke(receipt.app, ["verify", str(file), *options]).exit_code


@pytest.mark.usefixtures("signing_keys")
def test_a_file_that_is_not_there_is_named_before_missing_keys(tmp_path: Path) -> None:
    """Whoever has mistyped the name of a file is told of it, not of keys that would not help."""
    file = tmp_path / "missing.jws"
    result = CliRunner().invoke(receipt.app, ["verify", str(file)])
    assert (result.exit_code, result.stderr) == (2, f"{file}: No such file or directory\n")


def test_an_answer_passes_with_the_published_keys_alone(signing_keys: Path, tmp_path: Path) -> None:
    """A whole answer, lines of submit's output and a bare signature are verified with the published keys alone."""
    answer = an_answer(signing_keys)
    published = tmp_path / "jwks.json"
    published.write_bytes(signer(signing_keys).public_key_set())
    signing_keys.unlink()
    line = {**msgspec.to_builtins(RECEIPT), "jws": answer["jws"]}
    for number, text in enumerate(
        [json.dumps(answer, indent=1), f"{json.dumps(line)}\n{json.dumps(line)}", str(answer["jws"])]
    ):
        file = tmp_path / f"{number}.txt"
        file.write_text(text)
        assert run_verify(file, "--keys", str(published)) == 0


@pytest.mark.parametrize("name", ["receivedtime", "receiptid", "id", "sha256"])
def test_an_altered_receipt_does_not_pass(signing_keys: Path, tmp_path: Path, name: str) -> None:
    """A receipt beside the signature that differs from what was signed exits 1."""
    answer = an_answer(signing_keys)
    answer["receipts"] = [{**msgspec.to_builtins(RECEIPT), name: "other"}]
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(answer))
    assert run_verify(file) == 1


def test_a_signature_of_somebody_else_does_not_pass(signing_keys: Path, tmp_path: Path) -> None:
    """A signature by a key that is not published exits 1."""
    other = tmp_path / "other.json"
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(an_answer(other)))
    signing.load_keys(signing_keys)
    assert run_verify(file) == 1


def test_a_receipt_stays_good_after_rotation(signing_keys: Path, tmp_path: Path) -> None:
    """After a rotation the former key's public half remains and its private half is gone."""
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(an_answer(signing_keys)))
    assert CliRunner().invoke(receipt.app, ["rotate"]).exit_code == 0
    assert run_verify(file) == 0
    current, former = json.loads(signing_keys.read_text())["keys"]
    assert "d" in current
    assert "d" not in former


def test_a_place_that_cannot_hold_signing_keys_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be written exits 2, names the variable and prints no data."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DONDOC_INTAKE_SIGNING_KEYS", str(tmp_path / "file" / "keys.json"))
    result = CliRunner().invoke(receipt.app, ["rotate"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "DONDOC_INTAKE_SIGNING_KEYS" in result.stderr


def test_a_receipt_is_for_one_very_event(signing_keys: Path, tmp_path: Path) -> None:
    """`--event` compares the digest of exactly the bytes that were sent."""
    file, sent, other = tmp_path / "receipt.json", tmp_path / "sent.json", tmp_path / "other.json"
    file.write_text(json.dumps(an_answer(signing_keys)))
    sent.write_bytes(EVENT)
    other.write_bytes(EVENT + b" ")
    assert run_verify(file, "--event", str(sent)) == 0
    assert run_verify(file, "--event", str(other)) == 1


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_receipt_is_found_for_the_file_that_was_submitted(signing_keys: Path, tmp_path: Path, mark: bytes) -> None:
    """Verify reads the file as submit sends it: without a byte order mark, and each of many events by itself."""
    file = tmp_path / "receipt.json"
    file.write_text(json.dumps(an_answer(signing_keys)))
    for name, content in (("a.json", EVENT), ("a.jsonl", EVENT + b"\r\n"), ("b.json", b"[" + EVENT + b" ]")):
        (tmp_path / name).write_bytes(mark + content)
        assert run_verify(file, "--event", str(tmp_path / name)) == 0


def test_each_event_of_a_file_has_its_receipt(signing_keys: Path, tmp_path: Path) -> None:
    """An event of the file without a receipt is named at its line."""
    file, sent = tmp_path / "receipt.json", tmp_path / "sent.jsonl"
    file.write_text(json.dumps(an_answer(signing_keys)))
    sent.write_bytes(EVENT + b'\n{"id": "2"}\n')
    result = CliRunner().invoke(receipt.app, ["verify", str(file), "--event", str(sent)])
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert result.stderr.startswith(f"{sent}:2: sha256 ")


def test_a_file_that_holds_no_event_is_compared_as_it_is(signing_keys: Path, tmp_path: Path) -> None:
    """A file that holds no readable event is compared as a whole, whatever its name."""
    file, named_otherwise, damaged = tmp_path / "receipt.json", tmp_path / "sent.bin", tmp_path / "sent.json"
    file.write_text(json.dumps(an_answer(signing_keys)))
    named_otherwise.write_bytes(EVENT)
    damaged.write_bytes(EVENT[:-1])
    assert run_verify(file, "--event", str(named_otherwise)) == 0
    assert run_verify(file, "--event", str(damaged)) == 1
    assert run_verify(file, "--event", str(tmp_path / "nowhere")) == 2


def test_only_a_line_feed_ends_a_line_of_receipts(signing_keys: Path, tmp_path: Path) -> None:
    """A receipt may hold characters such as U+2028 at which other readers break lines."""
    named = msgspec.structs.replace(RECEIPT, id="a\u2028b\x85c")
    signed = signer(signing_keys).sign(msgspec.Raw(msgspec.json.encode([named])))
    line = json.dumps({**msgspec.to_builtins(named), "jws": signed}, ensure_ascii=False)
    file = tmp_path / "receipts.jsonl"
    file.write_text(f"{line}\n\n{line}\n{signed}\n")
    assert run_verify(file) == 0


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n",
        "{}",
        '{"jws": 7}',
        "{\n{",
        "hello",
        "hello.world",
        "5",
        "null",
        "[JWS]",
        '[{"jws": JWS}]',
        '{"jws": JWS, "receipts": 5}',
        '{"jws": JWS, "receipts": null}',
        '{"jws": JWS, "receipts": [5]}',
        '{"jws": JWS}\n5',
        '{"jws": JWS}\n[]',
        '{"jws": JWS}\n"\ud800"',
        "[" * 100_000,
    ],
)
def test_a_file_without_a_receipt_is_unusable(signing_keys: Path, tmp_path: Path, content: str) -> None:
    """A file without a receipt exits 2 and says what can be verified."""
    file = tmp_path / "receipt.json"
    file.write_text(content.replace("JWS", json.dumps(an_answer(signing_keys)["jws"])), "utf-8", "surrogatepass")
    result = CliRunner().invoke(receipt.app, ["verify", str(file)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "a compact JWS" in result.stderr or "UTF-8" in result.stderr
    assert result.stderr.startswith(str(file))
