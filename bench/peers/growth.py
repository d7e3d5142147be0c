#!/usr/bin/env python3
"""How the peers' time grows with the latent dimension, on the sphere, where distances are known.

    growth.py --out growth.jsonl [--longest SECONDS]

The sphere is in its stereographic chart. The ends are drawn as dimension_bench draws them: each coordinate normal, of
deviation 0.5/√d and 1/√d. Metric and derivatives are closed forms, so this is the methods' own cost. Once a dimension
has taken a method longer than SECONDS, its higher ones are left out. Lines that FILE has already are kept.
"""

import one_thread  # noqa: F401

import argparse
import json
import pathlib
import time

import numpy as np
import torch

import georce
import lbfgs
import newton
from curve_length import curve_length
from sphere import Sphere, sphere_distance

DIMENSIONS = [2, 10, 30, 100, 300, 1000]
# Above, their n×n blocks of all nodes take gigabytes.
MOST_DIMENSIONS = {"torch-georce": 300, "numpy-gauss-newton": 300}
METHODS = {
    "torch-lbfgs": lambda a, b: lbfgs.minimise(Sphere(), torch.from_numpy(a), torch.from_numpy(b)),
    "torch-georce": lambda a, b: georce.minimise(Sphere(), torch.from_numpy(a), torch.from_numpy(b)),
    "numpy-gauss-newton": lambda a, b: newton.minimise(Sphere(), a, b, exact=False),
}


def ends(d):
    random = np.random.default_rng(11)
    return random.normal(size=d) * 0.5 / np.sqrt(d), random.normal(size=d) / np.sqrt(d)


def solve(method, d):
    a, b = ends(d)
    if d == DIMENSIONS[0]:
        METHODS[method](a, b)  # not timed: warms up
    start = time.process_time()
    nodes, iterations, converged = METHODS[method](a, b)
    seconds = time.process_time() - start
    length, _ = curve_length(Sphere().value, nodes)
    return {
        "method": method,
        "d": d,
        "seconds": seconds,
        "iterations": iterations,
        "converged": converged,
        "excess": length / sphere_distance(a, b) - 1,
    }


def read_done(path):
    """Records of an earlier run; a last line that was cut off is left out."""
    done = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        done[record["method"], record["d"]] = record
    path.write_text("".join(json.dumps(record) + "\n" for record in done.values()))
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--longest", type=float, default=30, help="seconds (default 30)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    done = read_done(arguments.out)
    with arguments.out.open("a") as out:
        for method in METHODS:
            for d in DIMENSIONS:
                if d > MOST_DIMENSIONS.get(method, d):
                    break
                record = done.get((method, d))
                if record is None:
                    record = solve(method, d)
                    print(json.dumps(record), file=out, flush=True)
                if record["seconds"] > arguments.longest:
                    break


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        raise SystemExit(130) from None
