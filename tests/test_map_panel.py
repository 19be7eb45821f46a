"""The panel of notebook 02 draws the map that its menus say, by the student's functions."""

import re

import pytest
import torch

from cs_vis import plots, specimens, widgets
from cs_vis.methods.feature_space import collect
from cs_vis.models import SpecimenNet
from cs_vis.reference.feature_space import nearest_neighbors, pca
from cs_vis.widgets.feature_space import ASKED, colors_by

COUNT = 24
STUDENT = {"nearest_neighbors": nearest_neighbors, "pca": pca}
FACTS = [specimens.draw(seed).facts for seed in range(COUNT)]


@pytest.fixture
def parts(device, generator):
    networks = {}
    for seed, name in enumerate(("ordinary", "robust")):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            networks[name] = SpecimenNet(((4,), (6, 6)), 3).eval().requires_grad_(False).to(device)
    pictures = torch.rand(COUNT, 3, 16, 16, generator=generator)
    features = {name: collect(network, [pictures.to(device)], ["relu1_1", "average", "fc"])
                for name, network in networks.items()}
    images = {"a": pictures[3:4].to(device) * 0.9, "b": torch.rand(1, 3, 16, 16).to(device)}
    names = [f"kind {n % 4}" for n in range(COUNT)]
    return networks, features, pictures, names, images


def panel_of(parts, **changes):
    return widgets.feature_space_panel(*parts, **(STUDENT | {"facts": FACTS} | changes))


def marked(panel):
    dots = re.findall(r"<i [^>]*>", panel.screen.drawn.page)
    return [n for n, dot in enumerate(dots) if "class=marked" in dot]


def test_it_marks_the_picture_s_neighbours_in_the_layer_that_is_chosen(parts):
    networks, features, _, _, images = parts
    panel = panel_of(parts)
    for network, layer, picture, k in (("robust", "average", "a", 5), ("ordinary", "fc", "b", 3)):
        panel.controls["network"].choose(network)
        panel.controls["layer"].choose(layer)
        panel.controls["k"].value = k
        panel.images.choose(picture)
        row = collect(networks[network], [images[picture]], [layer])[layer][0]
        near = nearest_neighbors(row, features[network][layer], k)
        assert marked(panel) == sorted([*near.tolist(), COUNT])
    assert ASKED in panel.screen.drawn.page and panel.problem == ""


def test_the_map_is_the_student_s_pca(parts):
    panel = panel_of(parts)
    panel.controls["layer"].choose("relu1_1")
    panel.controls["embedding"].choose("your pca")
    rows = parts[1]["robust"]["relu1_1"]
    points = pca(rows, 2)[0]
    row = collect(parts[0]["robust"], [parts[4]["a"]], ["relu1_1"])["relu1_1"][0]
    near = nearest_neighbors(row, rows, 5).tolist()
    inks, legend = colors_by(parts[3], FACTS)["kind"]
    right = plots.picture_map(torch.cat([points, points[near[:1]]]),
                              torch.cat([parts[2], parts[4]["a"].cpu()]),
                              torch.cat([torch.from_numpy(inks), torch.zeros(1, 3)]),
                              [*parts[3], ASKED], marked=[*near, COUNT], legend=legend)
    assert panel.screen.drawn.page == right.page


def test_the_map_is_in_the_panel_and_stays_in_the_notebook(parts):
    panel = panel_of(parts)
    page = panel.screen.drawn.page
    assert panel.screen.page.value == page and panel.screen.image.layout.display == "none"
    data, _ = panel.screen._bundle("")
    assert page in data["text/html"] and "cs-vis-still" in data["text/html"]
    assert data["text/plain"] == f"<a map of {COUNT + 1} pictures>"


def test_a_map_is_saved_as_a_page(parts, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    panel = panel_of(parts)
    panel.save.click()
    assert (tmp_path / "map-1.html").read_text() == panel.screen.drawn.page


def test_colours_stand_for_what_is_known():
    names = [f"kind {n % 3}" for n in range(COUNT)]
    assert list(colors_by(names)) == ["kind"]
    found = colors_by(names, FACTS)
    assert list(found) == ["kind", "background", "the object's colour", "size"]
    for inks, legend in found.values():
        assert inks.shape == (COUNT, 3) and inks.min() >= 0 and inks.max() <= 1
        assert all(len(ink) == 3 for ink in legend.values())
    inks, legend = found["kind"]
    assert [tuple(ink) for ink in inks] == [tuple(legend[name]) for name in names]
    assert colors_by([str(n) for n in range(30)])["kind"][1] == {}  # too many to read


def test_an_unsolved_exercise_is_a_line(parts):
    def nearest_neighbors(query, gallery, k):
        raise NotImplementedError
    panel = panel_of(parts, nearest_neighbors=nearest_neighbors)
    assert panel.problem == "○ Solve the exercise above first: this part runs your nearest_neighbors."
    assert panel.screen.page.value == ""


@pytest.mark.parametrize("change, words", [
    ({0: {}, 1: {}}, "networks has"),
    ({2: torch.zeros(5, 3, 16, 16)}, "rows for 5 pictures"),
])
def test_what_makes_no_panel_is_refused(parts, change, words):
    with pytest.raises(ValueError, match=words):
        panel_of([change.get(n, part) for n, part in enumerate(parts)])


def test_without_ipywidgets_there_is_the_map(parts, no_ipywidgets, capsys):
    shown = panel_of(parts)
    assert "pip install ipywidgets" in capsys.readouterr().out
    assert isinstance(shown, plots.PictureMap)
