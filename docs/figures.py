"""Draw what is stored: the pictures of the README and of the model card, and what notebooks show
as stored because it takes too long to make there: make figures, python docs/figures.py [NAME ...]

The class pictures are those of benchmarks/class_pictures.py, which docs/blind has named blind.
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image

from cs_vis import activations, images, load_model, plots, specimens
from cs_vis.images import video
from cs_vis.methods.class_visualization import visualize
from cs_vis.methods.deepdream import GROWN, Channels, dream, zoom
from cs_vis.methods.drive import finish
from cs_vis.methods.feature_inversion import invert
from cs_vis.methods.feature_space import collect, tsne
from cs_vis.methods.field import Box, crop, windows
from cs_vis.methods.generator import codes, load_generator, of_code
from cs_vis.methods.occlusion import occlusion_loss
from cs_vis.methods.patches import batched, peaks
from cs_vis.methods.saliency import backprop, smooth_saliency
from cs_vis.notebook import progress
from cs_vis.reference.class_visualization import class_visualization_update_step
from cs_vis.reference.deepdream import deepdream_step, octave_pyramid
from cs_vis.reference.feature_inversion import alpha_norm, inversion_step, total_variation
from cs_vis.reference.feature_space import grid_layout
from cs_vis.reference.filters_and_activations import max_activating_patches, receptive_field
from cs_vis.reference.fooling_images import magnified_difference, make_fooling_image
from cs_vis.reference.saliency import (GuidedReLU, compute_saliency_maps, occlusion_map,
                                       segment_by_saliency)
from cs_vis.training import portraits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from class_pictures import class_pictures  # noqa: E402

FOLDER = Path(__file__).parent / "figures"
STORED = Path(__file__).resolve().parents[1] / "datasets"
KINDS = ("ladybug", "owl", "hot-air balloon", "starfish")


def class_figure(name):
    model = load_model(name)
    pictures = class_pictures(model, torch.Generator().manual_seed(0)).split(1)
    rows = [list(pictures[i:i + 8]) for i in range(0, len(pictures), 8)]
    titles = [model.class_names[i:i + 8] for i in range(0, len(pictures), 8)]
    return plots.show(rows, titles, height=1.25)


def method_figure():
    """The README's picture: four specimens, what each method shows, and the truth."""
    model, gallery, rows = load_model("specimens-robust"), specimens.gallery(), []
    for kind in KINDS:
        i = 8 * specimens.class_names.index(kind)
        image, mask, y = gallery.images[i:i + 1], gallery.masks[i], gallery.labels[i:i + 1]
        generator = torch.Generator().manual_seed(0)
        saliency = compute_saliency_maps(image, y, model)[0]
        smoothed = smooth_saliency(image, y, model, compute_saliency_maps, generator=generator)[0]
        lost = occlusion_loss(image, y, model, occlusion_map, patch=64, stride=8)[0]
        guided = backprop(model, image, y, relu=GuidedReLU)
        whole = model(image).softmax(dim=1)[0, y].item()
        rows.append([plots.outlined(image, mask), plots.grey(saliency), plots.grey(smoothed),
                     plots.occlusion_picture(whole - lost, whole, image), plots.signed(guided),
                     plots.cut_out(image, segment_by_saliency(image, smoothed))])
    bare = [[plots.picture(one)._replace(note="") for one in row] for row in rows]
    return plots.show(bare, ["true mask", "saliency", "smoothed", "occlusion", "guided backprop",
                             "GrabCut"], height=1.3)


def fooling_figure():
    """Six specimens, led to another class on each network, and what was changed, magnified."""
    networks = {"ordinary": load_model("specimens"), "robust": load_model("specimens-robust")}
    X, y = images.examples(networks["robust"], 6)
    rows, titles = [list(X)], [[specimens.class_names[k] for k in y]]
    for model in networks.values():
        fooled = torch.cat([make_fooling_image(X[i:i + 1], int(y[i - 1]), model)
                            for i in range(len(X))])
        differences = magnified_difference(X, fooled, 0.25)
        rows += [list(fooled), list(differences)]
        titles += [[f"{specimens.class_names[model(one).argmax()]}" for one in fooled.split(1)],
                   [f"length {length:.1f}" for length in (fooled - X).flatten(1).norm(dim=1)]]
    return plots.show(rows, titles, height=1.3,
                      labels=["picture", "ordinary says", "changed", "robust says", "changed"])


@torch.no_grad()
def samples_of(generator, each, seed):
    """`each` samples of every kind (24 * each, 3, 128, 128), kind by kind."""
    labels = torch.arange(len(generator.class_names)).repeat_interleave(each)
    code = codes(generator, labels, generator=torch.Generator().manual_seed(seed))
    return torch.cat([generator(part) for part in code.split(24)])


def sample_figure():
    """Three samples of the generator for every kind."""
    pictures = samples_of(load_generator(), 3, 0).split(1)
    return plots.show([list(pictures[i:i + 12]) for i in range(0, 72, 12)], height=0.85)


def neighbour_figure():
    """240 samples, each with the training picture that is nearest in its pixels, at its right."""
    kept = portraits.pool(Path("runs"))[0]  # (n, 128, 128, 3) uint8
    made = samples_of(load_generator(), 10, 0)
    small = [F.interpolate(x, (32, 32), mode="area").flatten(1) for x in (made, to_floats(kept))]
    nearest = torch.cdist(*small).argmin(dim=1)
    pairs = torch.cat([made, to_floats(kept[nearest.numpy()])], dim=3)  # (240, 3, 128, 256)
    page = F.interpolate(pairs, (64, 128), mode="area").view(24, 10, 3, 64, 128)
    return images.to_pil(page.permute(2, 0, 3, 1, 4).reshape(1, 3, 24 * 64, 10 * 128))


def to_floats(pictures):
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def natural_figure():
    """Every class asked of the robust network through the generator, as in notebook 05."""
    model, generator = load_model("specimens-robust"), load_generator()
    labels, pictures = torch.arange(24).repeat(2), of_code(generator)
    starts = codes(generator, labels, generator=torch.Generator().manual_seed(0)).view(48, 3, 1, -1)
    with torch.no_grad():
        scores = torch.cat([model(pictures(part)) for part in starts.split(12)])  # (48, 24)
    found = [finish(visualize(class_visualization_update_step, model, k, start=starts[best][None],
                              steps=30, learning_rate=0.25, l2_reg=0.02, to_picture=pictures,
                              generator=torch.Generator().manual_seed(0)))[0]
             for k, best in enumerate(scores.argmax(dim=0).tolist())]
    rows = [found[i:i + 8] for i in range(0, 24, 8)]
    return plots.show(rows, [model.class_names[i:i + 8] for i in range(0, 24, 8)], height=1.25)


def inversion_figure():
    """A specimen and a photograph from their features, layer by layer, by notebook 06's recipe."""
    networks = {"ordinary": load_model("specimens"), "robust": load_model("specimens-robust")}
    layers = ["relu1_1", "relu2_2", "relu3_2", "relu4_2", "relu5_2", "fc"]
    ladybug = specimens.gallery().images[8 * specimens.class_names.index("ladybug")][None]
    noise = 0.5 + 0.1 * torch.randn(ladybug.shape, generator=torch.Generator().manual_seed(0))
    rows, labels = [], []
    for picture in (ladybug, images.photo("chelsea", size=(128, 128))):
        for who, model in networks.items():
            targets = activations(model, picture, layers)
            rows.append([picture] + [finish(invert(
                inversion_step, model, layer, targets[layer], prior, start=noise))[0]
                for layer in layers])
            labels.append(who)
    return plots.show(rows, ["picture", *layers], labels=labels, height=1.3)


def prior(picture):
    return 3e-5 * total_variation(picture, 1) + 1e-3 * alpha_norm(picture - 0.5, 6)


def dreamed(model, layer, start, **rates):
    """A dream of notebook 08 (1, 3, H, W), from beginning to end."""
    frames = dream(deepdream_step, octave_pyramid, model, layer, start=start,
                   generator=torch.Generator().manual_seed(0), **rates)
    return finish(frames)[0]


def poster():
    """A cup of coffee, and what the robust network makes of it: 768 x 512 pixels, half a minute."""
    asked = Channels(load_model("specimens-robust"), "relu5_1", balanced=True)
    return images.to_pil(dreamed(asked, GROWN, images.photo("coffee", size=512), steps=12,
                                 octaves=7, scale=1.35, reach=16, learning_rate=0.01))


def squeezenet():
    """Three photographs dreamed on by a network that has seen ImageNet (CS_VIS_WEIGHTS has it)."""
    asked = Channels(load_model("squeezenet1_0"), "features.10", balanced=True)
    made = [dreamed(asked, GROWN, images.photo(name, size=224), steps=12)
            for name in ("coffee", "chelsea", "china")]
    return images.to_pil(torch.cat(made, dim=3))


def journey(path):
    """Twelve seconds into a cat: an MP4 of 288 frames, two steps each, three minutes."""
    asked = Channels(load_model("specimens-robust"), "relu4_1", balanced=True)
    frames = zoom(deepdream_step, asked, GROWN, start=images.photo("chelsea", size=(240, 320)),
                  frames=288, steps=2, by=1.02, learning_rate=0.012,
                  generator=torch.Generator().manual_seed(0))
    video.write(path, (frame.image for frame in progress(frames, "frames", total=288)), fps=24,
                quality=34)


CHANNELS = (33, 48, 27, 14)


def guided():
    """Four channels of notebook 01, two rows each: what they like best, and guided backprop of it.

    A quarter of a minute for each network to see the collection, a minute if it must be drawn.
    """
    model, layer, rows = load_model("specimens-robust"), "relu4_1", []
    pictures = specimens.collection(5000).pictures
    found = peaks(model, progress(batched(pictures), "batches", total=625), [layer])[layer].values
    size, stride, start = receptive_field(windows(model, layer))
    for channel in CHANNELS:
        some = torch.cat([*batched(pictures[found[:, channel].topk(18).indices])])
        patches, places = max_activating_patches(model, some, layer, channel, 9)
        rows.append(patches)
        for i, *unit in places.tolist():
            top, left = (start + place * stride for place in unit)
            g = backprop(model, some[i:i + 1], (channel, *unit), layer=layer, relu=GuidedReLU)
            g = crop(g, Box(top, top + size, left, left + size), outside=0)
            rows.append(0.5 + g / (2 * g.abs().quantile(0.995)))
    page = plots.tiles(torch.cat(rows), 9, zoom=2, gap=2).pixels  # (8 rows, 9 columns)
    return images.to_pil(torch.from_numpy(page).permute(2, 0, 1)[None].float())


def wall(side=20, pixels=48):
    """400 specimens, each beside those that the ordinary network finds most like it.

    The wall of notebook 02, which has 900: t-SNE of the last features, then a cell for each picture.
    """
    pictures = specimens.collection(side * side).pictures
    rows = collect(load_model("specimens"), batched(pictures), ["average"])["average"]
    small = F.interpolate(pictures.float() / 255, (pixels, pixels), mode="bilinear",
                          antialias=True)
    return images.to_pil(grid_layout(tsne(rows), small))


def sheet():
    """Four frozen specimens of every kind."""
    images = specimens.gallery().images.split(1)
    rows = [[images[8 * kind + i] for kind in range(first, first + 4) for i in range(3)]
            for first in range(0, 24, 4)]
    return plots.show(rows, height=0.85)


FIGURES = {"methods": method_figure, "specimens": sheet, "feature-space": wall,
           "fooling": fooling_figure, "natural": natural_figure, "inversion": inversion_figure,
           "generator-samples": sample_figure, "generator-neighbours": neighbour_figure,
           "classes-robust": lambda: class_figure("specimens-robust"),
           "classes-ordinary": lambda: class_figure("specimens")}
# What notebooks show as stored: the file's name under datasets/
KEPT = {"deepdream/poster": poster, "deepdream/squeezenet": squeezenet,
        "filters_and_activations/guided": guided}


def write(name):
    """Make one thing, and put it where it is stored."""
    if name == "deepdream/zoom":
        return journey(STORED / f"{name}.mp4")
    figure = (FIGURES | KEPT)[name]()
    file = (STORED if name in KEPT else FOLDER) / f"{name}.jpg"
    if isinstance(figure, Image.Image):
        figure.save(file, quality=80, optimize=True)
    else:
        figure.savefig(file, dpi=130, pil_kwargs={"quality": 85})


if __name__ == "__main__":
    for name in sys.argv[1:] or [*FIGURES, *KEPT, "deepdream/zoom"]:
        write(name)
