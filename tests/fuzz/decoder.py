"""Fuzzes intake's decoder and desk, guided by coverage: `make fuzz`, or this module with libFuzzer's own options.

What it finds it writes where it is told to; a file of `regressions/` keeps what was found and mended.
"""

import importlib
import sys
from pathlib import Path

atheris = importlib.import_module("atheris")  # it ships no annotations, and only `make fuzz` installs it

with atheris.instrument_imports(include=["services.intake", "schemas", "tests.support.assertions.decoding"]):
    from tests.fuzz.mutation import mutated
    from tests.support.assertions.decoding import Examiner, regressions, seeds


def main() -> None:
    """Fuzz until libFuzzer's options say stop; the first argument is the folder of the corpus."""
    corpus = Path(sys.argv[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for name, text in (*seeds(), *regressions()):
        (corpus / name).write_bytes(text)
    examiner = Examiner()

    def examine(text: bytes) -> None:
        examiner.examine(text)

    def mutate(text: bytes, size_max: int, seed: int) -> bytes:
        return mutated(text, size_max, seed, atheris.Mutate)

    atheris.Setup(sys.argv, examine, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
