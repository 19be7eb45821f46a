"""The objective's curve, as a line of SVG that a panel draws anew after every frame."""

from html import escape

WIDTH, HEIGHT, MOST = 300, 64, 240  # pixels, pixels, points


def curve(values: list[float], name: str) -> str:
    """The SVG of a curve over the steps, with its first, last and extreme values in words."""
    if len(values) < 2:
        return ""
    every = -(-len(values) // MOST)  # thinned, but the last value is always there
    shown = [*enumerate(values)][::every]
    shown += [(len(values) - 1, values[-1])] * (shown[-1][0] != len(values) - 1)
    low, high = min(values), max(values)
    scale = (HEIGHT - 4) / ((high - low) or 1)
    points = " ".join(f"{WIDTH * step / (len(values) - 1):.1f},"
                      f"{HEIGHT - 2 - (value - low) * scale:.1f}" for step, value in shown)
    words = escape(f"{name}: {values[0]:.4g} at first, {values[-1]:.4g} now, "
                   f"from {low:.4g} to {high:.4g}")
    return (f'<div style="line-height: 1.3">{words}</div>'
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
            f'aria-label="{words}"><polyline points="{points}" fill="none" '
            f'stroke="#3b78a8" stroke-width="1.5"/></svg>')
