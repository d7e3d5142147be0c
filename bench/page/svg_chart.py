"""Line charts as inline SVG: few kinds of charts, no script, and the page opens anywhere."""

import html
import math

WIDTH, HEIGHT = 460, 320
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 30, 44


class Axis:
    """Maps values to pixels, linearly or by logarithms, over a range that holds all of them."""

    def __init__(self, values, first, last, logarithmic):
        self.logarithmic = logarithmic
        low, high = min(values), max(values)
        if logarithmic:
            low, high = math.log10(low), math.log10(high)
            low, high = math.floor(low * 2 + 1e-9) / 2, math.ceil(high * 2 - 1e-9) / 2
        if high <= low:
            high = low + 1
        self.low, self.high, self.first, self.last = low, high, first, last

    def pixel(self, value):
        place = math.log10(value) if self.logarithmic else value
        return self.first + (self.last - self.first) * (place - self.low) / (self.high - self.low)

    def ticks(self):
        if not self.logarithmic:
            return [self.low + (self.high - self.low) * i / 4 for i in range(5)]
        decades = range(math.floor(self.low), math.ceil(self.high) + 1)
        steps = (1, 2, 5) if self.high - self.low < 2.5 else (1,)
        values = [s * 10.0**d for d in decades for s in steps]
        return [v for v in values if self.low - 1e-9 <= math.log10(v) <= self.high + 1e-9]


def number(value):
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.5g}"
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e")


def _grid(x, y, x_label, y_label):
    parts = []
    for value in x.ticks():
        at = x.pixel(value)
        parts.append(
            f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
            f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{number(value)}</text>'
        )
    for value in y.ticks():
        at = y.pixel(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{at + 4:.1f}" text-anchor="end">{number(value)}</text>'
        )
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{html.escape(x_label)}</text>'
        f'<text transform="translate(13 {middle}) rotate(-90)" text-anchor="middle">{html.escape(y_label)}</text>'
    )
    return parts


def line_chart(title, x_label, y_label, series, log_x=True, log_y=False, dots=False, y_range=()):
    """`series`: (name, colour, dashed, [(x, y), …]) each. Returns the SVG element; empty where there are no points."""
    points = [p for _, _, _, line in series for p in line]
    if not points:
        return ""
    x = Axis([p[0] for p in points], LEFT, WIDTH - RIGHT, log_x)
    y = Axis([*(p[1] for p in points), *y_range], HEIGHT - BOTTOM, TOP, log_y)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(title)}">',
        f'<text class="title" x="{LEFT}" y="18">{html.escape(title)}</text>',
        *_grid(x, y, x_label, y_label),
    ]
    for name, colour, dashed, line in series:
        path = " ".join(f"{x.pixel(a):.1f},{y.pixel(b):.1f}" for a, b in line)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        parts.append(
            f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}>'
            f"<title>{html.escape(name)}</title></polyline>"
        )
        if dots:
            parts += [
                f'<circle cx="{x.pixel(a):.1f}" cy="{y.pixel(b):.1f}" r="3" fill="{colour}">'
                f"<title>{html.escape(name)}: {number(a)}, {number(b)}</title></circle>"
                for a, b in line
            ]
    return "".join(parts) + "</svg>"


def legend(series):
    """The names beside their colours, once for all charts that share them."""
    items = []
    for name, colour, dashed in series:
        style = "dashed" if dashed else "solid"
        items.append(f'<span><i style="border-top:3px {style} {colour}"></i>{html.escape(name)}</span>')
    return f'<p class="legend">{"".join(items)}</p>'
