"""The picture of the ablation: how each way learns, and how good it is in the end."""

import numpy as np

from ..plots import style

COLOURS = (*style.PALETTE, style.NAVY, style.GREY, "black")


def draw(results, names, path):
    """A Figure of two panels, written to `path`.

    results  {way: [{"curve": accuracy after each epoch, "f1_score": ..., ...} for each seed]}
    names    {way: what it is called}
    """
    figure = style.figure(11, 4.8)
    curves, scores = figure.subplots(1, 2, width_ratios=[1.2, 1])
    looks = {
        way: {"color": COLOURS[i % len(COLOURS)], "marker": style.MARKERS[i % len(style.MARKERS)]}
        for i, way in enumerate(names)
    }
    for way, runs in results.items():
        curve = np.mean([run["curve"] for run in runs], axis=0)
        if len(curve) == 1:  # it has no epochs
            curves.axhline(curve[0], color=looks[way]["color"], linestyle=":")
            # x goes from 0 to 1 across the panel, y is an accuracy
            on_the_right = curves.get_yaxis_transform()
            curves.text(1, curve[0], names[way], transform=on_the_right, ha="right", va="bottom")
        else:
            epochs = np.arange(1, len(curve) + 1)
            curves.plot(epochs, curve, markersize=5, **looks[way])
    curves.set_xlabel("epoch")
    curves.set_ylabel("validation accuracy, mean of the seeds")
    curves.set_title("How each way learns (marks as on the right)")
    curves.grid(alpha=0.3)
    curves.xaxis.get_major_locator().set_params(integer=True)
    style.open_frame(curves)

    for row, (way, runs) in enumerate(results.items()):
        found = [run["f1_score"] for run in runs]
        scores.plot(found, [row] * len(found), linestyle="", alpha=0.7, **looks[way])
        scores.plot([np.mean(found)] * 2, [row - 0.3, row + 0.3], color="black")
    scores.set_yticks(range(len(results)), [names[way] for way in results])
    scores.set_ylabel("method")
    scores.invert_yaxis()
    scores.set_xlabel("macro-F1 of the test: each seed, and the mean")
    scores.set_title("How good it is in the end")
    scores.grid(axis="x", alpha=0.3)
    style.open_frame(scores)
    return style.finish(figure, path)
