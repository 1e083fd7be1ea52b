"""Fuzzes intake's decoder and validator, guided by coverage: `make fuzz`, or this module with libFuzzer's options.

libFuzzer writes a failing input to the path in its options. Inputs of failures that were fixed are in `regressions/`.
"""

import importlib
import sys
from pathlib import Path

atheris = importlib.import_module("atheris")  # it has no annotations, and only `make fuzz` installs it

with atheris.instrument_imports(include=["services.intake", "schemas", "tests.support.assertions.decoding"]):
    from tests.fuzz.mutation import mutate_request
    from tests.support.assertions.decoding import RequestChecker, regressions, seeds


def main() -> None:
    """Fuzz until libFuzzer's options end the run; the first argument is the folder of the corpus."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for name, text in (*seeds(), *regressions()):
        (corpus / name).write_bytes(text)
    checker = RequestChecker()

    def check(text: bytes) -> None:
        checker.check(text)

    def mutate(text: bytes, size_max: int, seed: int) -> bytes:
        return mutate_request(text, size_max, seed, atheris.Mutate)

    atheris.Setup(sys.argv, check, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
