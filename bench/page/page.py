"""Writes page.json, page.html and page.txt from the files of one run's folder; see ../run_page."""

import html
import json
import pathlib
import string

from summary import REFERENCES, read_growth, read_lines, read_model, summarise
from svg_chart import legend, line_chart

HERE = pathlib.Path(__file__).parent
BUSY = 1.5  # a load above it is more than this run itself

# Name, colour, dashed.
METHODS = [
    ("auto 1e-6", "#0b5394", False),
    ("auto 1e-4", "#0b5394", True),
    ("newton 1e-6", "#56b4e9", False),
    ("newton 1e-4", "#56b4e9", True),
    ("torch-lbfgs", "#d55e00", False),
    ("torch-georce", "#009e73", False),
    ("numpy-newton", "#cc79a7", False),
    ("numpy-gauss-newton", "#cc79a7", True),
]
NETWORK, SPHERE, BOTH = "#7a5195", "#e69f00", "#56b4e9"
WHAT = {
    "torch-lbfgs": "L-BFGS of torch, strong Wolfe line search, default tolerances; Σ |f(z_{i+1}) − f(z_i)|², 64 nodes",
    "torch-georce": "GEORCE (Rygaard, Hauberg 2025) in torch, T = 100, stopped at ‖∇E‖ ≤ 1e-4 as published",
    "numpy-newton": "Newton with exact Hessian on 128 chords in numpy and scipy",
    "numpy-gauss-newton": "the same without second derivatives",
}
GROWTH_COLUMNS = ["generator", "method", "d", "termination", "solver s", "certificate s", "error", "MB"]
COLUMNS = [
    ("method", lambda r: r["method"]),
    ("ms, median", lambda r: f"{1e3 * r['seconds_median']:.1f}"),
    ("ms, 90 %", lambda r: f"{1e3 * r['seconds_90']:.1f}"),
    ("s, all pairs", lambda r: f"{r['seconds_total']:.2f}"),
    ("batches U, median", lambda r: f"{r['units_median']:.0f}"),
    *(
        column
        for name in REFERENCES
        for column in (
            (f"× {name}, median", lambda r, name=name: _ratio(r, name, "time_median")),
            ("× of the sums", lambda r, name=name: _ratio(r, name, "time_of_sums")),
            (f"{name} equal or shorter", lambda r, name=name: _equal(r, name)),
        )
    ),
    ("excess, median", lambda r: _excess(r["excess_median"])),
    ("excess, worst", lambda r: _excess(r["excess_worst"])),
    ("excess > 0.1 %", lambda r: f"{r['longer']}"),
    ("converged, by its own account", lambda r: f"{r['claimed_converged']}/{r['pairs']}"),
]


def _ratio(row, reference, key):
    against = row["against"][reference]
    return "–" if against is None else f"{against[key]:.2f}"


def _equal(row, reference):
    against = row["against"][reference]
    return "–" if against is None else f"{against['reference_equal_or_shorter']}/{against['compared']}"


def _excess(value):
    return "–" if value is None else "0" if value == 0 else f"{value:.1e}"


def _table(rows):
    head = "".join(f"<th>{html.escape(name)}</th>" for name, _ in COLUMNS)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell(r))}</td>" for _, cell in COLUMNS) + "</tr>" for r in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _text(models, rows):
    """The same for a terminal: beside each reference, × in the median and of the sums, and where that is not longer."""
    lines = []
    for data in models:
        lines.append(f"{data['model']}, U = {1e3 * data['unit_seconds']:.3f} ms")
        head = "".join(f"{'× ' + name:>12}{'× sums':>8}{'<=':>7}" for name in REFERENCES)
        lines.append(f"  {'method':20}{'ms':>9}{'ms 90 %':>9}{head}{'excess':>9}{'worst':>9}{'>0.1%':>6}")
        for r in (r for r in rows if r["model"] == data["model"]):
            beside = "".join(
                f"{_ratio(r, name, 'time_median'):>12}{_ratio(r, name, 'time_of_sums'):>8}{_equal(r, name):>7}"
                for name in REFERENCES
            )
            lines.append(
                f"  {r['method']:20}{1e3 * r['seconds_median']:9.1f}{1e3 * r['seconds_90']:9.1f}{beside}"
                f"{_excess(r['excess_median']):>9}{_excess(r['excess_worst']):>9}{r['longer']:6}"
            )
    return "\n".join(lines) + "\n"


def _profile(data):
    """Share of the pairs that take at most so long, method by method."""
    series = []
    for name, colour, dashed in METHODS:
        times = sorted(s["seconds"] for s in data["methods"].get(name, {}).values())
        series.append((name, colour, dashed, [(1e3 * t, 100 * (i + 1) / len(times)) for i, t in enumerate(times)]))
    return line_chart(
        data["model"], "processor time of a pair, ms", "% of the pairs", [s for s in series if s[3]], y_range=(0, 100)
    )


def _growth_lines(rows, growth_of_peers):
    """The three charts of growth: name, unit, lines."""

    def line(generator, column):
        return [(r["d"], r[column]) for r in rows if r["generator"] == generator and r[column] > 0]

    seconds, memory = [], []
    for generator, colour in (("random-network", NETWORK), ("sphere-stereographic", SPHERE)):
        seconds += [
            (f"{generator}, solver", colour, False, line(generator, "solver_seconds")),
            (f"{generator}, certificate", colour, True, line(generator, "certificate_seconds")),
        ]
        memory.append((generator, colour, False, line(generator, "megabytes")))
    both = [
        (r["d"], r["solver_seconds"] + r["certificate_seconds"])
        for r in rows
        if r["generator"] == "sphere-stereographic"
    ]
    beside = [("newton with its certificate", BOTH, False, both)]
    for name, colour, dashed in METHODS:
        beside.append((name, colour, dashed, [(r["d"], r["seconds"]) for r in growth_of_peers if r["method"] == name]))
    return [
        ("newton, seconds of one geodesic", "s", seconds),
        ("memory of the process", "MB", memory),
        ("the sphere, beside the peers", "s", beside),
    ]


def _growth(rows, growth_of_peers):
    if not rows and not growth_of_peers:
        return ""
    charts = [
        line_chart(title, "latent dimension", unit, [s for s in series if s[3]], log_y=True, dots=True)
        for title, unit, series in _growth_lines(rows, growth_of_peers)
    ]
    lines = []
    for r in rows:
        lines.append(
            [
                r["generator"],
                "newton",
                str(r["d"]),
                r["termination"],
                f"{r['solver_seconds']:.3f}",
                f"{r['certificate_seconds']:.3f}",
                r["error"],
                f"{r['megabytes']:.0f}",
            ]
        )
    for r in growth_of_peers:
        lines.append(
            [
                "sphere-stereographic",
                r["method"],
                str(r["d"]),
                "converged" if r["converged"] else "not converged",
                f"{r['seconds']:.3f}",
                "–",
                f"{r['excess']:.1e}",
                "–",
            ]
        )
    table = "".join("<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in line) + "</tr>" for line in lines)
    names = [
        ("random network, outputs 2d, hidden units 3d", NETWORK, False),
        ("sphere, stereographic chart", SPHERE, False),
        ("the certificate's part", "#5b6675", True),
        ("newton with its certificate", BOTH, False),
        *(m for m in METHODS if any(r["method"] == m[0] for r in growth_of_peers)),
    ]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in GROWTH_COLUMNS)
    return (
        "<h2>Growth with the latent dimension</h2><p>One geodesic by <code>newton</code>, certificate included, one "
        "thread, a process for each; seconds of the clock. In the third chart, on the sphere, the peers have the metric"
        " and derivatives as closed forms, and their ends are drawn from the same distribution as those of the library."
        " It shows how they grow rather than who is faster.</p>"
        f'{legend(names)}<div class="charts">{"".join(charts)}</div>'
        f"<details><summary>Numbers</summary><table><tr>{head}</tr>{table}</table></details>"
    )


def _environment(document):
    """All that the timings depend on, one line a fact."""
    facts = []
    for part in ("settings", "machine", "tool", "peers"):
        for key, value in (document[part] or {}).items():
            text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else str(value)
            facts.append(f'<tr><td>{part}</td><td class="words">{html.escape(f"{key}: {text}")}</td></tr>')
    steps = "".join(
        f"<li>{html.escape(s['began'])} {html.escape(s['step'])}, load {s['load']:.2f}</li>" for s in document["steps"]
    )
    return f"<h2>Environment</h2><table>{''.join(facts)}</table><ul class='soft'>{steps}</ul>"


def _html(document, models):
    busy = max((s["load"] for s in document["steps"]), default=0)
    warning = (
        f'<p class="warning">The machine did other work as well: its load was up to {busy:.1f} when steps began.</p>'
        if busy > BUSY
        else ""
    )
    sections = []
    for data in models:
        rows = [r for r in document["rows"] if r["model"] == data["model"]]
        head = f"{data['model']}, {len(data['pairs'])} pairs, U = {1e3 * data['unit_seconds']:.3f} ms"
        sections.append(f"<h2>{html.escape(head)}</h2>{_table(rows)}")
    settings, tool = document["settings"], document["tool"]
    methods = "".join(f"<li><b>{html.escape(name)}</b>: {html.escape(text)}.</li>" for name, text in WHAT.items())
    return string.Template((HERE / "page.html").read_text()).substitute(
        style=(HERE / "style.css").read_text(),
        revision=html.escape(f"Revision {settings['revision']}; {tool['processor']}; {tool['compiler']}"),
        warning=warning,
        methods=methods,
        sections="".join(sections),
        legend=legend(METHODS),
        profiles="".join(_profile(data) for data in models),
        growth=_growth(document["growth"], document["growth_of_peers"]),
        environment=_environment(document),
    )


def write(out, settings, machine):
    models = [data for data in (read_model(out, model) for model in settings["models"]) if data]
    if not models:
        return
    document = {
        "settings": settings,
        "machine": machine,
        "tool": models[0]["tool"],
        "peers": models[0]["peers"],
        "steps": read_lines(out / "steps.jsonl"),
        "rows": [row for data in models for row in summarise(data)],
        "growth": read_growth(out),
        "growth_of_peers": read_lines(out / "growth.jsonl"),
        "models": models,
    }
    texts = {
        "page.json": json.dumps(document, indent=1) + "\n",
        "page.html": _html(document, models),
        "page.txt": _text(models, document["rows"]),
    }
    for name, text in texts.items():
        part = out / (name + ".part")
        part.write_text(text)
        part.rename(out / name)
