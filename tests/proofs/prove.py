"""Proves the cores' flow control: `python -m tests.proofs.prove` or `make prove`."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.proofs.catalogue import PROOFS
from tests.proofs.engine import Proof, Verdict, prove

PROCESSES = 2
TIMEOUT_S = 240


def main() -> int:
    """Run all proofs, a line for each, and return the exit status."""
    started = time.monotonic()
    wrong = assertions = 0
    with ThreadPoolExecutor(PROCESSES) as pool:
        running = {pool.submit(prove, proof, TIMEOUT_S): proof for proof in PROOFS}
        for future in as_completed(running):
            proof, verdict = running[future], future.result()
            print(_line(proof, verdict), flush=True)
            wrong += not verdict.proven
            assertions += verdict.assertions
    seconds = time.monotonic() - started
    print(f"prove: {len(PROOFS)} proofs, {assertions} assertions, {wrong} not proven, {seconds:.0f} s")
    return 1 if wrong else 0


def _line(proof: Proof, verdict: Verdict) -> str:
    how = f"{proof.induction}-induction" if proof.induction else "found invariants"
    return f"{proof.name:<70} {verdict!s:<10} {verdict.assertions:>4} assertions, {how}, {verdict.seconds:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
