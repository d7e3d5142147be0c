"""What the page says in numbers: the solves of one output folder, joined by pair and summed up by method."""

import json
import math
import statistics

LONGER = 1e-3  # a curve that is longer by this fraction than the shortest known counts as longer
EQUAL = 1e-6  # lengths that differ by less than this fraction are equal
REFERENCES = ["auto 1e-6", "auto 1e-4"]

DIMENSION_COLUMNS = [
    "generator",
    "d",
    "by",
    "termination",
    "solver_seconds",
    "certificate_seconds",
    "values",
    "jacobians",
    "second_derivatives",
    "products",
    "error",
    "megabytes",
]


def quantile(values, p):
    """Linear between the order statistics."""
    ordered = sorted(values)
    place = p * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def read_lines(path):
    """Records of a file of JSON lines, but for one that was cut off."""
    records = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return records


def read_model(out, model):
    """The solves of one model, a dictionary by method of dictionaries by pair; environments; U in seconds."""
    path = out / f"{model}.auto.json"
    if not path.exists():
        return None
    auto = json.loads(path.read_text())
    methods, units = {}, []
    for run in auto["runs"]:
        name = f"{run['solver']} {run['accuracy']:.0e}".replace("e-0", "e-")
        methods[name] = {s["pair"]: {**s, "converged": s["termination"] == "converged"} for s in run["solves"]}
        units += [s["unit_seconds"] for s in run["solves"] if s["unit_seconds"] is not None]
    peers = None
    for record in read_lines(out / f"{model}.peers.jsonl"):
        if "environment" in record:
            peers = record["environment"]
        else:
            methods.setdefault(record["method"], {})[record["pair"]] = record
    return {
        "model": model,
        "pairs": auto["pairs"][model],
        "methods": methods,
        "tool": auto["environment"],
        "peers": peers,
        "unit_seconds": statistics.median(units),
    }


def shortest(methods):
    """By pair, the length of the shortest curve that any method has."""
    best = {}
    for solves in methods.values():
        for pair, solve in solves.items():
            if solve["length"] is not None:
                best[pair] = min(best.get(pair, math.inf), solve["length"])
    return best


def _against(solves, reference):
    """Times as multiples of the reference's, and lengths beside its, over the pairs that both have."""
    both = [p for p in solves if p in reference and solves[p]["length"] and reference[p]["length"]]
    if not both:
        return None
    ratios = [solves[p]["seconds"] / reference[p]["seconds"] for p in both]
    lengths = [solves[p]["length"] / reference[p]["length"] for p in both]
    return {
        "time_median": statistics.median(ratios),
        "time_least": min(ratios),
        "time_of_sums": sum(solves[p]["seconds"] for p in both) / sum(reference[p]["seconds"] for p in both),
        "reference_equal_or_shorter": sum(length >= 1 - EQUAL for length in lengths),
        "compared": len(both),
    }


def summarise(data):
    """A row for each method of one model."""
    best = shortest(data["methods"])
    rows = []
    for method, solves in data["methods"].items():
        seconds = [s["seconds"] for s in solves.values()]
        excess = {p: s["length"] / best[p] - 1 for p, s in solves.items() if s["length"] is not None}
        rows.append(
            {
                "model": data["model"],
                "method": method,
                "pairs": len(solves),
                "seconds_median": statistics.median(seconds),
                "seconds_90": quantile(seconds, 0.9),
                "seconds_total": sum(seconds),
                "units_median": statistics.median(seconds) / data["unit_seconds"],
                "excess_median": statistics.median(excess.values()) if excess else None,
                "excess_worst": max(excess.values()) if excess else None,
                "longer": sum(not e <= LONGER for e in excess.values()) + len(solves) - len(excess),
                "claimed_converged": sum(bool(s["converged"]) for s in solves.values()),
                "against": {name: _against(solves, data["methods"].get(name, {})) for name in REFERENCES},
            }
        )
    return rows


def read_growth(out):
    """A row for each solve of dimension_bench."""
    path = out / "dimension.txt"
    rows = []
    for line in path.read_text().splitlines() if path.exists() else []:
        words = line.split()
        if len(words) != len(DIMENSION_COLUMNS):
            raise ValueError(f"{path}: expected {len(DIMENSION_COLUMNS)} columns, got '{line}'")
        row = dict(zip(DIMENSION_COLUMNS, words))
        for column in DIMENSION_COLUMNS[4:10] + ["megabytes"]:
            row[column] = float(row[column])
        rows.append({**row, "d": int(row["d"])})
    return rows
