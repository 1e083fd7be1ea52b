"""Fuzzes every reader of records, guided by coverage: `make fuzz`, or this module with libFuzzer's options.

It starts from the hostile corpus. libFuzzer writes a failing input to the path in its options.
"""

import importlib
import logging
import sys
from pathlib import Path

atheris = importlib.import_module("atheris")  # it has no annotations, and only `make fuzz` installs it

INSTRUMENTED = ["services.rules", "services.notifier", "services.reporting", "services.runtime.decoding", "schemas"]
with atheris.instrument_imports(include=INSTRUMENTED):
    from tests.support.hostile import records
    from tests.support.hostile.readers import ReaderChecker


def main() -> None:
    """Fuzz until libFuzzer's options end the run; the first argument is the folder of the corpus."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    valid = (*records.valid_facts(), *records.valid_verdicts(), *records.valid_deliveries(), *records.valid_documents())
    for number, (_, event) in enumerate(valid):
        (corpus / f"valid-{number}").write_bytes(records.encode_valid(event))
    for number, (_, value) in enumerate(records.hostile_values()):
        (corpus / f"hostile-{number}").write_bytes(value or b"")
    logging.disable(logging.CRITICAL)  # what cannot be read is logged each time
    checker = ReaderChecker()

    def check(value: bytes) -> None:
        checker.check(value)

    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
