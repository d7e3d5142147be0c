#!/usr/bin/env python3
"""Solves the pairs of auto_bench by other methods, on the same decoders, and measures their curves all in the same way.

    auto_bench mnist-vae --pairs 50 --first 1 --json auto.json
    peers.py auto.json --out peers.jsonl [--models DIR] [--method NAME]… [--pairs N]

Writes a line of JSON for each pair and method as soon as it is solved, and leaves out those that FILE has already: an
interrupted run goes on where it was. "seconds" is processor time of the whole process, one thread, of the solve alone.
"""

import one_thread  # noqa: F401  first: it sets variables

import argparse
import json
import os
import pathlib
import platform
import sys
import time

import numpy as np
import scipy
import torch

import georce
import lbfgs
import newton
from curve_length import curve_length
from decoder import Decoder, read_layers
from torch_decoder import TorchDecoder

CHORD_TOLERANCE = 1e-10


class Maps:
    """A model's decoder for either library."""

    def __init__(self, path):
        layers = read_layers(path)
        self.numpy = Decoder(layers)
        self.torch = TorchDecoder(layers)


def _by_torch(minimise):
    def solve(maps, a, b):
        return minimise(maps.torch, torch.from_numpy(a), torch.from_numpy(b))

    return solve


METHODS = {
    "torch-lbfgs": _by_torch(lbfgs.minimise),
    "torch-georce": _by_torch(georce.minimise),
    "numpy-newton": lambda maps, a, b: newton.minimise(maps.numpy, a, b, exact=True),
    "numpy-gauss-newton": lambda maps, a, b: newton.minimise(maps.numpy, a, b, exact=False),
}


def describe_environment():
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
        "torch": torch.__version__,
        "numpy_blas": f"{blas['name']} {blas['version']}",
        "torch_threads": torch.get_num_threads(),
        "torch_cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "torch_mkl": torch.backends.mkl.is_available(),
        "variables": {k: v for k, v in sorted(os.environ.items()) if k.startswith(("OPENBLAS_", "MKL_", "OMP_"))},
    }


def check_map(decoder, pair):
    """Refuses to compare where this decoder is not the map that auto_bench has evaluated."""
    ends = decoder.value(np.array([pair["from"], pair["to"]]))
    chord = np.linalg.norm(ends[1] - ends[0])
    if not abs(chord - pair["chord"]) <= CHORD_TOLERANCE * chord:
        raise ValueError(f"pair {pair['pair']}: the chord is {chord!r} here and {pair['chord']!r} in auto_bench")


def solve(maps, pair, method):
    a, b = np.array(pair["from"]), np.array(pair["to"])
    start = time.process_time()
    nodes, iterations, converged = METHODS[method](maps, a, b)
    seconds = time.process_time() - start
    if not np.isfinite(nodes).all():
        raise ValueError(f"pair {pair['pair']}: {method} gave nodes that are not finite")
    length, error = curve_length(maps.numpy.value, nodes)
    return {
        "pair": pair["pair"],
        "method": method,
        "seconds": seconds,
        "iterations": iterations,
        "converged": converged,
        "length": length,
        "length_error": error,
    }


def read_done(path):
    """Records of an earlier run; a last line that was cut off is left out."""
    records = []
    if path.exists():
        for line in path.read_text().splitlines():
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return {(r["generator"], r["pair"], r["method"]) for r in records if "pair" in r}


def run(arguments):
    torch.set_num_threads(1)
    pairs_of = json.loads(arguments.bench.read_text())["pairs"]
    done = read_done(arguments.out)
    with arguments.out.open("a") as out:
        print(json.dumps({"environment": describe_environment()}), file=out, flush=True)
        for generator, pairs in pairs_of.items():
            maps = Maps(arguments.models / f"{generator}.safetensors")
            pairs = pairs[: arguments.pairs]
            for pair in pairs:
                check_map(maps.numpy, pair)
            for method in arguments.method:
                left = [p for p in pairs if (generator, p["pair"], method) not in done]
                if left:
                    METHODS[method](maps, np.array(left[0]["from"]), np.array(left[0]["to"]))  # not timed: warms up
                for pair in left:
                    record = {"generator": generator, **solve(maps, pair, method)}
                    print(json.dumps(record), file=out, flush=True)
                    if arguments.verbose:
                        print(json.dumps(record), file=sys.stderr)


def main():
    models = pathlib.Path(__file__).resolve().parents[2] / "models"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=pathlib.Path, help="what auto_bench --json wrote")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--models", type=pathlib.Path, default=models, help="folder of the .safetensors files")
    parser.add_argument("--method", action="append", choices=METHODS, help="may be repeated; default: all")
    parser.add_argument("--pairs", type=int, help="only the first N of each model")
    parser.add_argument("--verbose", action="store_true", help="each record to standard error too")
    arguments = parser.parse_args()
    arguments.method = arguments.method or list(METHODS)
    run(arguments)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
