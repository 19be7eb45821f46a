# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # What does a unit look for?
#
# **Welcome.** In this course you look inside convolutional networks, and nearly everything that you
# look through you build yourself: a function of a few lines, then a check that talks to you, then
# pictures and sliders that run what you wrote. This first notebook begins at the beginning. A
# network is made of *units*. What does one of them look for, and how would you know?
#
# | you write | it gives | in a formula | points |
# | --- | --- | --- | --- |
# | `filters_to_images(weight)` | filters as pictures | $(w - \min w) / (\max w - \min w)$, each filter by itself | 3 |
# | `activation_maps(model, image, layer)` | what a layer gives for a picture | read by a hook | 4 |
# | `receptive_field(layers)` | which pixels a unit can see | size, stride and start | 4 |
# | `max_activating_patches(model, images, layer, channel, k)` | what a channel likes best | the largest value of each picture, cut out | 7 |
#
# Two more points are for an answer in your own words, which a person reads. At the end we ask 5,000
# pictures at once what each channel is a detector of. We can, for we have drawn them.
#
# Run the cells in order (Shift + Enter). Everything runs on a laptop without a network connection;
# the whole notebook computes for about three minutes, and for one more the first time. Where the
# course's package is missing, the first cell says what to do. `check.progress()` lists your points
# so far, whenever you like.

# %% nbgrader={"grade_id": "setup_imports", "locked": true} tags=["setup"]
import torch
from IPython.display import Markdown, display
from torch import nn

from cs_vis import (activations, check, datasets, images, load_model, pick_device, plots,
                    specimens, widgets)
from cs_vis.methods.field import Box, crop, field_of_view, windows
from cs_vis.methods.patches import batched, detectors, owner_names, owners_at, peaks
from cs_vis.methods.saliency import backprop
from cs_vis.models import find_layer, untrained
from cs_vis.models.weights import at_hand
from cs_vis.notebook import chosen_network, needs, progress, steps

device = pick_device()
NETWORK = chosen_network("specimens")  # or "squeezenet1_1", "vgg16", ...: any of torchvision's
model = load_model(NETWORK, device=device)
networks = {NETWORK: model}
if NETWORK == "specimens":  # trained the ordinary way, and against small perturbations
    networks = {"ordinary": model, "robust": load_model("specimens-robust", device=device)}
networks["random weights"] = untrained(NETWORK, generator=torch.Generator().manual_seed(0),
                                       device=device)
clearest = [*networks][-2]  # the network whose gradients are the clearer ones: the robust one

X, y = images.examples(model, 24, device=device)  # (24, 3, H, W) in [0, 1]: one of each kind

def name(k):
    return model.class_names[k].split(",")[0][:18]

def layers_of(network, count=5):
    """ReLUs from low to high that still have places: count of them, evenly spread."""
    with torch.no_grad():
        found = activations(network, X[:1], network.layer_names)
    wide = [layer for layer, a in found.items() if a.ndim == 4 and a.shape[2] > 4
            and isinstance(find_layer(network, layer), nn.ReLU)]
    return [wide[(2 * i + 1) * len(wide) // (2 * count)] for i in range(count)]

LAYERS = (["relu1_1", "relu2_2", "relu3_2", "relu4_1", "relu5_1"] if NETWORK == "specimens"
          else layers_of(model))
LAYER = LAYERS[3]  # where we look for detectors

def convolutions(network):
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]

# %% [markdown]
# ## 0. Where you are
#
# **The drawn world.** These pictures were drawn by code: 24 kinds of thing, each in any turn, size
# and colour, on any ground, among clutter. So no picture needs a licence or a download, there is
# no end to them, and above all, *we know the truth*: what each picture shows, which pixels belong
# to it, and what its parts are. When an instrument of yours says something, we can look it up.

# %% tags=["look"]
display(plots.show([list(X[i:i + 8]) for i in range(0, len(X), 8)],
                   [[name(k) for k in y[i:i + 8]] for i in range(0, len(X), 8)], height=0.95))
if NETWORK == "specimens":
    bee = specimens.draw(9, "bee")
    display(plots.show([plots.picture(bee.image), plots.outlined(bee.image, bee.mask),
                        *(plots.outlined(bee.image, mask) for mask in bee.parts.values())],
                       ["a bee", "its outline", *bee.parts], height=1.3))

# %% [markdown]
# **The networks.** Two small networks come with the course, each of nine convolutions. Both have
# learned to name the 24 kinds: one in the *ordinary* way, and one, the *robust* one, on pictures
# that an opponent had changed a little so as to mislead it. You will see again and again what a
# difference that makes inside. A third one has *random weights*. It has learned nothing, and it is
# here for that: whatever shows in it, too, was not learned. Of the 192 pictures of the gallery the
# ordinary network names 191 rightly, the robust one 192, and the random one 8, which is chance.
# (The random one says *strawberry* to all eight below, and is about half sure.)

# %% tags=["look"]
with torch.no_grad():
    answers = {who: network(X[:8]).softmax(dim=1) for who, network in networks.items()}
said = ["\n".join(f"{name(int(p[i].argmax()))}, {p[i].max():.0%}" for p in answers.values())
        for i in range(8)]
display(plots.show(list(X[:8]), said, height=1.2,
                   caption="above each picture: " + ", ".join(networks)))

# %% tags=["figures"]
from cs_vis.grading.prose import claim, percent, spelled

gallery = specimens.gallery()
with torch.no_grad():
    named_rightly = {who: sum(int((network(x.to(device)).argmax(dim=1).cpu() == k).sum())
                              for x, k in zip(gallery.images.split(8), gallery.labels.split(8)))
                     for who, network in networks.items()}

[f"Of the {len(gallery.labels)} pictures of the gallery the ordinary network names "
 f"{named_rightly['ordinary']} rightly, the robust one {named_rightly['robust']}, and the random "
 f"one {named_rightly['random weights']}, which is chance.",
 claim(f"The random one says *{name(int(answers['random weights'][0].argmax()))}* to all eight",
       len(set(answers["random weights"].argmax(dim=1).tolist())) == 1)]

# %% [markdown]
# **How a section goes.** An idea, its equation, the shapes, then your turn: replace the line `raise
# NotImplementedError`. Below it stands a *check*, which runs your function on tiny examples and
# says in words what it thinks. Then you look at what your function shows. *Think* has a short
# question, and one answer that you can unfold.
#
# ## 1. Filters: what the first layer is made of
#
# **The idea.** A unit of the first convolution lays a small pattern of weights, its *filter*, on
# the picture, multiplies, and sums up. Of all patches of the same length, the sum is largest for
# the one that looks like the filter itself (Cauchy and Schwarz). So the filter is a picture of what
# the unit looks for, and has red, green and blue, as the picture has.
#
# **The equation.** Weights may be negative, and pictures may not. So a filter $w$ is rescaled for
# display, by its own smallest and largest value, the three colours together:
#
# $$ \frac{w - \min w}{\max w - \min w} $$
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `weight` | `(F, 3, kh, kw)` | the weights of a first convolution; they stay as they were |
# | result | `(F, 3, kh, kw)` | a new tensor in [0, 1] without a graph |
#
# A filter whose values are all equal becomes 0; mind the division (a number added to the divisor
# must be very small, 1e-8 or so). `weight` may be a parameter, which asks for gradients:
# `weight.detach()` is the same without. Here as in all exercises, results are of the dtype and on
# the device of what you are given, and that is left as it was.
#
# **Your turn** (about four lines).

# %% nbgrader={"grade_id": "filters_solution", "solution": true} tags=["solution"]
def filters_to_images(weight):
    """Each filter as a picture in [0, 1], rescaled by itself.

    weight (F, 3, kh, kw) -> (F, 3, kh, kw)
    """
    ### BEGIN SOLUTION
    weight = weight.detach()
    low = weight.amin(dim=(1, 2, 3), keepdim=True)  # (F, 1, 1, 1)
    span = weight.amax(dim=(1, 2, 3), keepdim=True) - low
    return (weight - low) / torch.where(span > 0, span, 1)
    ### END SOLUTION

# %% [markdown]
# **How a check talks.** Before you run yours: this function is wrong. The check does not only say
# so. It recognises what was done, for others have done it before. Change the line, and see what it
# says then. (No harm is done: what counts is the last run of a check, so run yours after this.)

# %% tags=["look"]
def a_slip(weight):
    return weight.detach().clamp(0, 1)

try:
    check.filters_to_images(a_slip)
except check.CheckFailed as what_it_says:
    print(what_it_says)

# %% [markdown]
# **Check.** And now yours. A cell below a check that looks empty is worth points as well: there the
# grader tries your function on other inputs when you have handed in.

# %% nbgrader={"grade_id": "filters_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.filters_to_images(filters_to_images)

# %% nbgrader={"grade_id": "filters_hidden_fresh", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: filters of other sizes, one of them with all its values equal.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.fresh_filters(filters_to_images)
### END HIDDEN TESTS

# %% [markdown]
# **Look.** The 24 filters of each of our networks, 3 × 3 pixels, enlarged with hard edges. Nine
# pixels are not much to draw with; still, in the two trained networks you find edges, light on one
# side and dark on the other, and opposite colours side by side: green against pink, blue against
# yellow. The random network has specks of all colours.
#
# The robust network has learned on from where the ordinary one had stopped. So they have nearly the
# same filters: the cosine between a filter and what has become of it is 0.93, on average. But look
# closer, and the robust one's are smoother, and some have lost their colour. In numbers: two
# neighbouring weights of a filter have a correlation of 0.43 in the robust network, of 0.17 in the
# ordinary one and of 0.01 in the random one. A perturbation that changes every pixel a little, each
# in its own way, has little hold on a smooth filter.
#
# Networks trained on photographs have larger filters, 7 × 7 or 11 × 11, and whatever their
# architecture, they look alike: oriented edges and bars, and pairs of opposite colours. Name the
# folder with the weights you have in the environment variable `CS_VIS_WEIGHTS`, and AlexNet,
# ResNet-18, DenseNet-121 and SqueezeNet appear beside ours; or write a name into `OTHERS`, and it
# is downloaded.

# %% tags=["look"]
OTHERS = at_hand(["alexnet", "resnet18", "densenet121", "squeezenet1_0"])  # or ["alexnet"]: 244 MB

def columns_for(count):
    """In how many columns so many tiles make a page that is full, and wider than high."""
    fitting = [columns for columns in range(1, count + 1) if count % columns == 0]
    return min(fitting, key=lambda columns: abs(columns ** 2 - 1.5 * count))

def grid_of(pictures, wide=360):
    """Filters side by side, every pixel of a filter a square."""
    count, _, _, width = pictures.shape
    columns = columns_for(count)
    zoom = max(1, wide // (columns * width))
    return plots.tiles(pictures, columns, zoom=zoom, gap=max(1, zoom // 4))

with needs("filters_to_images"):
    shown = networks | {other: load_model(other, device=device) for other in OTHERS
                        if other != NETWORK}
    weights = {who: convolutions(network)[0].weight for who, network in shown.items()}
    grids = [grid_of(filters_to_images(w)) for w in weights.values()]
    display(plots.show(grids, [f"{who}\n{len(w)} of {w.shape[2]} × {w.shape[3]}"
                               for who, w in weights.items()], height=1.9,
                       caption="each filter rescaled by itself"))

# %% tags=["figures"]
def of_neighbours(weight):
    """How much neighbouring weights of a filter go together, on average: a cosine."""
    pairs = ((weight[..., 1:], weight[..., :-1]), (weight[..., 1:, :], weight[..., :-1, :]))
    return torch.stack([nn.functional.cosine_similarity(a.flatten(1), b.flatten(1)).mean()
                        for a, b in pairs]).mean().item()

def colourless(weight):
    """How many filters have nearly the same weights for red, green and blue."""
    grey = weight.mean(dim=1, keepdim=True).expand_as(weight)
    return int(((weight - grey).flatten(1).norm(dim=1) < 0.4 * weight.flatten(1).norm(dim=1)).sum())

first = {who: convolutions(network)[0].weight for who, network in networks.items()}
alike = nn.functional.cosine_similarity(*(first[who].flatten(1) for who in ("ordinary", "robust")))
together = {who: of_neighbours(weight) for who, weight in first.items()}

[f"what has become of it is {alike.mean():.2f}, on average.",
 claim("some have lost their colour", colourless(first["robust"]) > 2 + colourless(
     first["ordinary"])),
 f"have a correlation of {together['robust']:.2f} in the robust network, of "
 f"{together['ordinary']:.2f} in the ordinary one and of {abs(together['random weights']):.2f} in "
 f"the random one."]

# %% [markdown]
# **Do not over-read.** Each filter was rescaled by itself, so a faint one looks as strong as any,
# and no shade of grey means 0 in all of them. And the bias, which decides how much of its pattern a
# unit *demands*, is not in the picture.
#
# **And deeper?** From the second convolution on a filter has not three channels but as many as the
# layer below has maps. There is no colour to give them. Below: 20 filters (rows) of a deeper
# convolution, each on 16 of its channels (columns), grey for 0.

# %% tags=["look"]
wide = [module for module in convolutions(networks[clearest]) if module.kernel_size[0] > 1]
deeper = wide[3].weight[:20, :16]  # (20, 16, 3, 3): of 96 filters on 48 channels
scale = deeper.abs().max()
display(plots.show([plots.tiles((0.5 + deeper / (2 * scale)).flatten(0, 1), deeper.shape[1],
                                zoom=6, gap=2, note=f"±{scale:.2g}")],
                   [f"{deeper.shape[0]} filters × {deeper.shape[1]} of their channels"],
                   height=4.2))

# %% [markdown]
# You see next to nothing, and that is the lesson. What such a filter looks for is a pattern in the
# *maps* of the layer below, and to read it you would have to know what these stand for. For deeper
# layers, do not look at the weights. Look at what they do.
#
# **Think.** In the network with random weights the filters look like noise. Could a network work
# well whose first filters look like noise?
#
# <details><summary>One answer</summary>
#
# Quite well, if the layers above are trained: a random filter is still *some* edge and *some*
# colour, and together a few dozen of them keep nearly everything that is in a patch. What a noisy
# filter shows is that nobody has adapted it: in a trained network that is a sign of too little
# training, or of too little regularisation.
# </details>
#
# **How this was found.** A. Krizhevsky, I. Sutskever and G. Hinton, *ImageNet classification with
# deep convolutional neural networks*, 2012, whose figure 3 shows the filters of AlexNet.

# %% [markdown]
# ## 2. Activations: what a layer gives for a picture
#
# **The idea.** Lay one filter on every place of the picture, and the sums are a picture again, a
# *map*: bright where the pattern is. A layer with $C$ filters gives $C$ maps, which the next layer
# reads as you read red, green and blue. To see them, look on while the network computes.
#
# **How to look on.** PyTorch lets you hang a *forward hook* on a module: a function that is called
# with the module, its inputs and its output, each time that the module has computed.
#
# ```python
# handle = module.register_forward_hook(hook)   # hook(module, inputs, output)
# handle.remove()                               # and it is gone
# ```
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `model` | | a network; it stays as it was, in the mode that it is in, and no hook of yours is left in it |
# | `image` | `(1, 3, H, W)` | one picture |
# | `layer` | text | the name of a layer; `find_layer(model, layer)` is the module |
# | result | `(C, h, w)` | what the module gave, without the batch's axis |
#
# **A hint.** Many networks compute the ReLU *in place*: it overwrites what the convolution before
# it has put out, and what your hook has kept is overwritten, too. `clone()` is yours alone.
#
# **Your turn** (about eight lines).

# %% nbgrader={"grade_id": "maps_solution", "solution": true} tags=["solution"]
def activation_maps(model, image, layer):
    """What `layer` gives for one image.

    image (1, 3, H, W), the name of a layer -> (C, h, w)
    """
    ### BEGIN SOLUTION
    kept = []
    handle = find_layer(model, layer).register_forward_hook(
        lambda module, inputs, output: kept.append(output.detach().clone()))
    try:
        with torch.no_grad():
            model(image)
    finally:
        handle.remove()
    return kept[0][0]  # the first time, and without the batch's axis
    ### END SOLUTION

# %% nbgrader={"grade_id": "maps_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.activation_maps(activation_maps)

# %% nbgrader={"grade_id": "maps_hidden_in_place", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: a network whose next layer overwrites what this one has put out.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.in_place(activation_maps)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "maps_hidden_leaves_nothing", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: nothing is left behind in the network.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.leaves_nothing(activation_maps)
### END HIDDEN TESTS

# %% [markdown]
# (From now on you may use the library's `activations(model, images, layers)`. It does the same for
# many layers and pictures at once, and gives a dictionary: layer → `(N, C, h, w)`.)
#
# **Look.** One picture on its way through five layers of the robust network: all maps of each, on
# one scale of grey. From layer to layer there are more maps, and they are smaller: *where* is
# traded for *what*. In relu1_1 you recognise the picture in each of them: the edges of the bricks
# from above or from the left, all that is orange, all that is blue. In relu2_2 there are corners
# and spots. In relu4_1 some maps have a light where the beetle is and nothing else. And in relu5_1
# most are dark, and a few have one light. Between a half and nine tenths of all values are
# exactly 0, for that is what a ReLU does with what is below: 64 % in relu1_1 and 75 % in relu5_1.

# %% tags=["look"]
def all_maps(maps):
    """All maps (C, h, w) of a layer, on one scale of grey."""
    white = maps.quantile(0.995).item() if maps.numel() < 1e7 else maps.max().item()
    columns = columns_for(len(maps))
    return plots.tiles(maps / (white or 1.0), columns, gap=max(1, maps.shape[1] // 16),
                       zoom=max(1, 640 // (columns * maps.shape[1])), note=f"white: {white:.2g}")

with needs("activation_maps"):
    volumes = {layer: activation_maps(networks[clearest], X[:1], layer) for layer in LAYERS}
    pages = [plots.picture(X[:1]), *map(all_maps, volumes.values())]
    words = [name(int(y[0])), *(f"{layer[-12:]}: " + " × ".join(map(str, maps.shape))
                                for layer, maps in volumes.items())]
    for row in (slice(0, 3), slice(3, 6)):
        display(plots.show(pages[row], words[row], height=2.1))

# %% [markdown]
# **Black is not dead.** Six of the 192 maps of relu5_1 are black for this ladybug: not dark, but 0
# at every place. It is tempting to call such a unit dead. All that we know is that what it looks
# for is not in this picture. Here is one of the six, on other pictures, all on one scale: it is
# brightest for the hot-air balloon, and lights up at the strawberry and the mushroom, too. A unit
# is dead if it is 0 for *every* picture, and of 24 pictures each of these 192 lights up for one.
# (Section 4 asks thousands.)

# %% tags=["look"]
TOP = LAYERS[4]

with needs("activation_maps"):
    tops = torch.stack([activation_maps(networks[clearest], X[i:i + 1], TOP)
                        for i in range(len(X))])  # (pictures, C, h, w)
    largest = tops.amax(dim=(2, 3))               # (pictures, C)
    black = int((largest.amax(dim=0) * (largest[0] <= 0)).argmax())  # here 0, and most elsewhere
    bright = [0, *largest[:, black].topk(6).indices.tolist()]
    display(plots.show([list(X[bright]), [plots.grey(tops[i, black].clamp(min=0),
                                                     white=largest[:, black].max().item())
                                          for i in bright]],
                       [name(int(k)) for k in y[bright]], height=1.15,
                       labels=["picture", f"channel {black}"]))

# %% tags=["figures"]
zeros = {layer: (maps == 0).float().mean().item() for layer, maps in volumes.items()}
lit = [name(int(k)) for k in y[bright]]

[claim("Between a half and nine tenths of all values are exactly 0",
       0.5 < min(zeros.values()) and max(zeros.values()) < 0.9),
 f"what is below: {percent(zeros['relu1_1'])} in relu1_1 and {percent(zeros['relu5_1'])} in "
 f"relu5_1.",
 f"{spelled(int((largest[0] <= 0).sum())).capitalize()} of the {tops.shape[1]} maps of relu5_1 are "
 f"black for this {lit[0]}:",
 f"Here is one of the {spelled(int((largest[0] <= 0).sum()))}, on other pictures",
 f"brightest for the {lit[1]}, and lights up at the {lit[2]} and the {lit[3]}, too.",
 claim(f"of {len(X)} pictures each of these {tops.shape[1]} lights up for one.",
       (largest.amax(dim=0) > 0).all())]

# %% [markdown]
# **Think.** A map of relu5_1 has 8 × 8 values, the picture 128 × 128 pixels. What would you say of
# "channel 12 has found the beetle's left antenna", by the light of such a map?
#
# <details><summary>One answer</summary>
#
# One of its values stands for 16 × 16 pixels at the least, and has been computed from many more. So
# the map may say that there is something, and roughly where. From how many pixels exactly, that is
# the next section.
# </details>
#
# **How this was found.** M. Zeiler and R. Fergus, *Visualizing and understanding convolutional
# networks*, 2014. J. Yosinski, J. Clune, A. Nguyen, T. Fuchs and H. Lipson, *Understanding neural
# networks through deep visualization*, 2015, with the live panel after which the one below is made.

# %% [markdown]
# ## 3. The receptive field: what can a unit see?
#
# **The idea.** A unit of the first convolution sees 3 × 3 pixels. One of the second sees 3 × 3
# units of the first, side by side, and so 5 × 5 pixels; after a pool that halves the maps,
# neighbours lie two pixels apart, and it goes faster. What a unit sees is a square in the picture,
# its *receptive field*, and three numbers say where: its **size**, the **stride** from one unit's
# square to that of its neighbour, and the **start**, the first row that unit (0, 0) sees.
#
# **The equations.** A pixel sees itself: size 1, stride 1, start 0. Then layer by layer, each with
# its kernel $k$, stride $s$ and padding $p$ (convolutions and pools alike):
#
# $$ \text{size} \leftarrow \text{size} + (k - 1) \cdot \text{stride}, \qquad
# \text{start} \leftarrow \text{start} - p \cdot \text{stride}, \qquad
# \text{stride} \leftarrow s \cdot \text{stride} $$
#
# with the stride of *before* the layer in the first two. Unit (row, col) sees the rows from start
# + row · stride, size of them, and the columns likewise. A negative start: units at the border see
# the padding, outside the picture.
#
# **The shapes.**
#
# | name | what |
# | --- | --- |
# | `layers` | a list of `(kernel, stride, padding)`, from the first layer to the one that is asked |
# | result | `(size, stride, start)`: three whole numbers |
#
# For an empty list that is `(1, 1, 0)`. A layer with kernel 1 is a layer like any other, padding
# included. The list stays as it was.
#
# **Your turn** (about six lines).

# %% nbgrader={"grade_id": "field_solution", "solution": true} tags=["solution"]
def receptive_field(layers):
    """Size, stride and start of what a unit sees, from [(kernel, stride, padding), ...]."""
    ### BEGIN SOLUTION
    size, stride, start = 1, 1, 0
    for kernel, step, padding in layers:
        size += (kernel - 1) * stride
        start -= padding * stride
        stride *= step
    return size, stride, start
    ### END SOLUTION

# %% nbgrader={"grade_id": "field_check", "grade": true, "locked": true, "points": 2} tags=["check"]
check.receptive_field(receptive_field)

# %% nbgrader={"grade_id": "field_hidden_plain", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: other convolutions and pools, without padding.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.plain_field(receptive_field)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "field_hidden_mixed", "grade": true, "locked": true, "points": 1} tags=["check"]
# One point: convolutions and pools mixed, with padding.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.mixed_field(receptive_field)
### END HIDDEN TESTS

# %% [markdown]
# **Look.** `windows(model, layer)` reads the kernels, strides and paddings from a network, and your
# function turns them into what a unit sees.

# %% tags=["look"]
windows(model, LAYERS[1])

# %% tags=["look"]
with needs("receptive_field"):
    rows = [(layer, *receptive_field(windows(model, layer))) for layer in LAYERS]
    display(Markdown("| layer | size | stride | start |\n| --- | --- | --- | --- |\n" + "\n".join(
        f"| {layer} | {size} × {size} | {stride} | {start} |"
        for layer, size, stride, start in rows)))

# %% [markdown]
# **The proof.** That is arithmetic. Is it true? A pixel that a unit cannot see has no influence on
# it, so the unit's *gradient* there is zero. Below, one unit of each layer: the frame is what your
# function says, and the light is the size of the gradient. And `field_of_view` opens every ReLU
# and pool, so that no path is closed by chance, and measures where the gradient is not zero: its
# result stands above each picture. Expect both to agree, and the light to end at the frame.

# %% tags=["look"]
def box_of(field, row, col):
    """The box of pixels that unit (row, col) sees."""
    size, stride, start = field
    return Box(start + row * stride, start + row * stride + size,
               start + col * stride, start + col * stride + size)

def inside(box, height, width):
    """The box as a mask (height, width): True inside."""
    rows, cols = torch.arange(height)[:, None], torch.arange(width)
    return ((rows >= box.top) & (rows < box.bottom) & (cols >= box.left) & (cols < box.right))

with needs("receptive_field"):
    framed, light, measured, agree = [], [], [], []
    for layer in LAYERS:
        a = activations(networks[clearest], X[:1], layer)[layer][0]  # (C, h, w)
        row, col = a.shape[1] // 2, a.shape[2] // 3
        channel = int(a[:, row, col].argmax())
        box = box_of(receptive_field(windows(model, layer)), row, col)
        seen = field_of_view(networks[clearest], X[:1], (channel, row, col), layer,
                             generator=torch.Generator().manual_seed(0))
        g = backprop(networks[clearest], X[:1], (channel, row, col), layer=layer)[0]
        framed.append(plots.outlined(X[:1], inside(box, *X.shape[2:])))
        light.append(plots.outlined(plots.grey(g.abs().amax(dim=0)), inside(box, *X.shape[2:])))
        measured.append(f"{layer[-12:]}\n{seen.bottom - seen.top} × {seen.right - seen.left}")
        agree.append(seen == box)
    display(plots.show([framed, light], measured, labels=["your field", "gradient"], height=1.45,
                       caption=f"your field is the measured one in {sum(agree)} of {len(agree)} "
                               f"layers"))

# %% [markdown]
# Look at the light again. It fills the middle of the frame, and hardly reaches its border: a pixel
# in the middle has many ways to the unit, one at the border only a few. On our 24 pictures, 63 % of
# the gradient of a unit of relu4_1 lies in the middle quarter of its frame. That is called the
# *effective* receptive field, and you should have it in mind below, where patches are cut out at
# the full size.

# %% tags=["figures"]
def in_the_middle(image):
    """The share of a central unit's gradient that lies in the middle quarter of its frame."""
    a = activations(networks[clearest], image, LAYER)[LAYER][0]
    row = a.shape[1] // 2
    g = backprop(networks[clearest], image, (int(a[:, row, row].argmax()), row, row),
                 layer=LAYER)[0].abs().sum(dim=0)
    size, stride, start = receptive_field(windows(model, LAYER))
    middle = slice(start + row * stride + size // 4, start + row * stride + size - size // 4)
    return (g[middle, middle].sum() / g.sum()).item()

begin = receptive_field(windows(model, TOP))
held = sum(map(in_the_middle, X.split(1))) / len(X)

[f"{percent(held)} of the gradient of a unit of {LAYER} lies in the middle quarter of its frame.",
 f"The first row is {begin[2]}, so of the {begin[0]} × {begin[0]} pixels that it could see only "
 f"{begin[0] + begin[2]} × {begin[0] + begin[2]} are there: "
 f"{percent(((begin[0] + begin[2]) / begin[0]) ** 2)}."]

# %% [markdown]
# **Think.** What does the unit in the upper left corner of relu5_1 see?
#
# <details><summary>One answer</summary>
#
# Mostly nothing. The first row is -45, so of the 106 × 106 pixels that it could see only 61 × 61
# are there: 33 %. The rest is padding, zeros at the borders of the maps. So a network can know
# where the border is, and units at a border answer otherwise than those in the middle.
# </details>
#
# **How this was found.** A. Araujo, W. Norris and J. Sim, *Computing receptive fields of
# convolutional neural networks*, 2019, whose $-u_0$ is the padding that is seen. W. Luo, Y. Li, R.
# Urtasun and R. Zemel, *Understanding the effective receptive field in deep convolutional neural
# networks*, 2016.

# %% [markdown]
# ## 4. Patches: what a channel likes best
#
# **The idea.** You cannot read the weights of a deep channel, but you can ask it. Show it many
# pictures, note where it lights up most, and cut out what it saw there. What do these patches have
# in common?
#
# **What to do.** Of each image take the one place where the channel is largest, so that no picture
# comes twice; of these, the $k$ largest, strongest first. For each, cut out what the unit sees: its
# receptive field, of the size that your function says. At a border it leaves the picture; do not
# shift it, and do not shrink it. What lies outside is white.
#
# **The shapes.**
#
# | name | shape | what |
# | --- | --- | --- |
# | `images` | `(N, 3, H, W)` | pictures |
# | `layer`, `channel` | text, int | one channel of one layer |
# | `k` | int | how many patches, at most N |
# | `patches` | `(k, 3, size, size)` | what is seen from each place; white (1) outside the picture |
# | `places` | `(k, 3)`, long | image, row and column of the unit: rows of the *map*, not pixels |
#
# **Given.** `crop(images[i:i + 1], Box(top, bottom, left, right))` cuts a box out, the ends
# excluded, and paints white what is outside. `activations(model, images, layer)[layer]` are the
# maps `(N, C, h, w)`.
#
# **A hint.** `flatten(1)` makes one row of all places of a map; of a place in it, `// w` is the row
# and `% w` the column.
#
# **Your turn** (about ten lines; the first is there).

# %% nbgrader={"grade_id": "patches_solution", "solution": true} tags=["solution"]
def max_activating_patches(model, images, layer, channel, k):
    """What a channel sees where it is largest: one patch of each of k images, strongest first.

    images (N, 3, H, W) -> patches (k, 3, size, size), places (k, 3) [image, row, col]
    """
    size, stride, start = receptive_field(windows(model, layer))
    ### BEGIN SOLUTION
    with torch.no_grad():
        maps = activations(model, images, layer)[layer][:, channel]  # (N, h, w)
    values, where = maps.flatten(1).max(dim=1)  # the best place of each image
    best = values.topk(k).indices               # the best images, strongest first
    places = torch.stack([best, where[best] // maps.shape[2], where[best] % maps.shape[2]], dim=1)
    patches = []
    for n, row, col in places.tolist():
        top, left = start + row * stride, start + col * stride
        patches.append(crop(images[n:n + 1], Box(top, top + size, left, left + size)))
    return torch.cat(patches), places
    ### END SOLUTION

# %% nbgrader={"grade_id": "patches_check", "grade": true, "locked": true, "points": 3} tags=["check"]
check.max_activating_patches(max_activating_patches)

# %% nbgrader={"grade_id": "patches_hidden_places", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: which images, and which places in them.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.found_places(max_activating_patches)
### END HIDDEN TESTS

# %% nbgrader={"grade_id": "patches_hidden_patches", "grade": true, "locked": true, "points": 2} tags=["check"]
# Two points: the patches themselves, also where they leave the picture.
### BEGIN HIDDEN TESTS
from cs_vis.grading.hidden import filters_and_activations as hidden
hidden.cut_patches(max_activating_patches)
### END HIDDEN TESTS

# %% [markdown]
# **Five thousand pictures.** They are drawn once, which takes about a minute, and kept in a folder
# of yours for the next time. Then each network sees them all (about half a minute each), and
# `peaks` notes for every channel its largest value in every picture.
#
# Now we can say which channels are really dead: those that are 0 in all of the 5,000 pictures.
# There are none, in any of the three networks and any of the three layers. And how often is a channel
# black on one picture? In relu5_1 of the robust network on 3 % of the pictures. So if you see a
# black map, bet on a channel that waits for something else.

# %% tags=["look"]
STREAMED = LAYERS[2:]

if NETWORK == "specimens":
    collection = specimens.collection(steps(5000, 240))
    pictures = collection.pictures  # (5000, 3, 128, 128), bytes
else:
    pictures = images.examples(model, steps(400, 48))[0]

found = {who: peaks(network, progress(batched(pictures, device), who, total=-(-len(pictures) // 8)),
                    STREAMED) for who, network in networks.items()}
for who, of_layers in found.items():
    dead = [f"{(of.values.amax(dim=0) <= 0).sum()} of the {of.values.shape[1]} of {layer}"
            for layer, of in of_layers.items()]
    print(f"{who}, channels that are black on all {len(pictures)} pictures: {', '.join(dead)}")

# %% tags=["figures"]
never = {who: sum(int((of.values.amax(dim=0) <= 0).sum()) for of in of_layers.values())
         for who, of_layers in found.items()}
blacks = (found["robust"][TOP].values <= 0).float().mean().item()

[claim(f"that are 0 in all of the {len(pictures):,} pictures. There are none, in any of the "
       f"{spelled(len(never))} networks", sum(never.values()) == 0),
 f"In relu5_1 of the robust network on {percent(blacks)} of the pictures."]

# %% [markdown]
# **Look** (about 5 seconds). Four channels of the robust network. `candidates` takes those pictures
# of the 5,000 in which the channel's peak is highest; your function cuts the patches out. Below
# each patch stands the *gradient* of the very unit with respect to it: grey where a change of the
# pixel would do nothing, coloured where it would.
#
# *Channel 33* likes the flesh of strawberries, with its pips and the leaves above. *Channel 48*
# gets traffic cones, and the gradient says what of them: the dots of the white band, and hardly the
# cone. *Channel 27* gets watermelons, always the lower right end of the slice, where rind and flesh
# run from lower left to upper right. *Channel 14* gets the eyespots in the wings of butterflies, in
# any colour. Where a patch leaves the picture it is white, and the gradient there is grey: nothing
# is there that could change.

# %% tags=["look"]
CHANNELS = [33, 48, 27, 14][:steps(4, 2)]

def candidates(who, channel, count):
    """The pictures in which a channel's peak is highest: more than are asked for."""
    best = found[who][LAYER].values[:, channel].topk(min(2 * count, len(pictures))).indices
    return torch.cat([*batched(pictures[best], device)])

def with_gradients(who, channel, count):
    """A channel's best patches by your function, and the gradient of the unit on each of them."""
    some = candidates(who, channel, count)
    patches, places = max_activating_patches(networks[who], some, LAYER, channel, count)
    field, gradients = receptive_field(windows(model, LAYER)), []
    for i, row, col in places.tolist():
        g = backprop(networks[who], some[i:i + 1], (channel, row, col), layer=LAYER)
        seen = plots.signed(crop(g, box_of(field, row, col), outside=0))
        gradients.append(seen._replace(note=""))
    return [*patches], gradients

with needs("receptive_field", "max_activating_patches"):
    rows, labels = [], []
    for channel in progress(CHANNELS, "channels"):
        rows += with_gradients(clearest, channel, 9)
        labels += [f"channel {channel}", "gradient"]
    display(plots.show(rows, labels=labels, height=0.85,
                       caption="each gradient on a scale of its own, grey for 0"))

# %% [markdown]
# **What drives it?** The gradient is right, and hard to read. *Guided backprop* changes the rule by
# which it passes a ReLU, so that only what speaks *for* the unit comes through. You will build it
# in notebook 03, with a warning; here is what it gives for the same four channels. (Stored, since
# the rule is one of your exercises there.)
#
# In its pictures the things themselves appear: the strawberry's pips, the dots of the band, the
# seam of rind and flesh, the rings of the eyespot; and what the unit does not care for, the ground
# above all, is gone.

# %% tags=["look"]
guided = images.load(datasets.path("filters_and_activations/guided.jpg"))  # 8 rows, 2 a channel
strips = list(guided.split(guided.shape[2] // 8, dim=2))
display(plots.show([[strip] for strip in strips], height=0.85,
                   labels=[words for channel in (33, 48, 27, 14)
                           for words in (f"channel {channel}", "guided backprop")],
                   caption="stored: the robust network's relu4_1, patches and guided backprop"))

# %% [markdown]
# **Think.** Why only one patch of each picture?
#
# <details><summary>One answer</summary>
#
# Neighbouring units see nearly the same pixels. Without this rule the nine best patches would be
# the same strawberry nine times, each moved by a few pixels, and you would learn nothing about what
# else the channel likes.
# </details>
#
# **How this was found.** R. Girshick, J. Donahue, T. Darrell and J. Malik, *Rich feature
# hierarchies for accurate object detection and semantic segmentation*, 2014, whose figure 3 shows
# such patches. J. T. Springenberg, A. Dosovitskiy, T. Brox and M. Riedmiller, *Striving for
# simplicity: the all convolutional net*, 2015, with guided backprop of them.

# %% [markdown]
# ## 5. What is a channel a detector of?
#
# **The idea.** So channel 33 is a strawberry detector? Nine patches that look alike are an
# anecdote. We own the world, so let us count. Of each of a channel's best patches we know what its
# middle lies on: which part, of which kind, or the background.
#
# **The judge.** For every channel `detectors` takes its 30 best patches in the *first* half of the
# collection. The part on which most of them lie names the channel. Then it takes the 30 best in the
# *second* half, and counts how many of these lie on that very part: the channel's **share**. (Two
# halves, because of some 60 parts one is always the most frequent, by chance alone.) To
# compare with: the **base**, the same share where the places in the picture are the same and the
# pictures are any.
#
# **Look** (about 10 seconds). The ten most selective channels of relu4_1 in the robust network; of
# several with the same name the best. Left the patches, right the gradients; beside them the
# channel, its name, its share, and the base.
#
# They are astonishingly clear: the tick marks of clocks (16), the spiral of a snail's shell in any
# colour (7), squares of black and white (93), owls with their eyes and feathers (62). Where for any
# picture about 1 in 100 middles lies on a clock's face, for channel 16 it is 30 out of 30. And look
# at what the names leave out. For channel 16 the light is on the tick marks at the edge, though the
# *middle* of the patch is the face. *Watermelon: flesh* (0) and *watermelon: rind* (78) are both at
# the seam between the two, one for slices that end at the left and one at the right.

# %% tags=["look"]
TRUTH = NETWORK == "specimens"  # do we know what each pixel shows?
NO_TRUTH = "This part needs to know what each pixel shows: it is for specimens."

def selective(who, layer):
    """What every channel of a layer is a detector of, the most selective first."""
    ones = detectors(collection, found[who][layer], receptive_field(windows(model, layer)),
                     k=steps(30, 10), generator=torch.Generator().manual_seed(0))
    return sorted(ones, key=lambda one: -one.share)

def best_of_each(ones, count):
    """The first of each name."""
    named = {}
    for one in ones:
        named.setdefault(one.name, one)
    return [*named.values()][:count]

with needs("receptive_field", "max_activating_patches"):
    if TRUTH:
        ten = best_of_each(selective(clearest, LAYER), steps(10, 3))
        rows = [sum(with_gradients(clearest, one.channel, 5), [])
                for one in progress(ten, "detectors")]
        display(plots.show(rows, labels=[f"{one.channel}: {one.name}, {one.share:.0%} "
                                         f"({one.base:.1%})" for one in ten], height=0.72))
    else:
        print(NO_TRUTH)

# %% [markdown]
# And all the other channels? Below, the mean share over *all* channels of a layer, for our three
# networks.

# %% tags=["look"]
with needs("receptive_field"):
    if TRUTH:
        ones = {(who, layer): selective(who, layer) for who in networks for layer in STREAMED}
        shares = {who: {layer: sum(one.share for one in ones[who, layer]) / len(ones[who, layer])
                        for layer in STREAMED} for who in networks}
        display(plots.bars(shares, baselines=["random weights"],
                           caption="mean share of a layer's channels"))
    else:
        print(NO_TRUTH)

# %% tags=["figures"]
of_ten = {one.channel: one for one in ten}
lucky = ones["random weights", LAYER][0]
on_a_clock = sum(one.name.startswith("clock") for one in ones["random weights", LAYER])

[claim("the tick marks of clocks (16), the spiral of a snail's shell in any colour (7), squares of "
       "black and white (93), owls with their eyes and feathers (62).",
       {16, 7, 93, 62} <= of_ten.keys()),
 claim("about 1 in 100 middles lies on a clock's face", 0.007 < of_ten[16].base < 0.014),
 f"for channel {ten[0].channel} it is {30 * ten[0].share:.0f} out of 30.",
 claim("*Watermelon: flesh* (0) and *watermelon: rind* (78)",
       (of_ten[0].name, of_ten[78].name) == ("watermelon: flesh", "watermelon: rind")),
 f"In relu4_1 the mean share is {shares['ordinary'][LAYER]:.2f} in the ordinary network and "
 f"{shares['robust'][LAYER]:.2f} in the robust one.",
 claim("The robust one is ahead in all three layers.",
       all(shares["robust"][layer] > shares["ordinary"][layer] for layer in STREAMED)),
 f"The random network has {shares['random weights'][LAYER]:.2f} in the same layer, and its most "
 f"selective channel a share of {percent(lucky.share)}, for *{lucky.name}*.",
 claim("the higher the layer, the less", sorted(shares["random weights"].values(), reverse=True)
       == [*shares["random weights"].values()])]

# %% [markdown]
# In relu4_1 the mean share is 0.48 in the ordinary network and 0.55 in the robust one. So about
# half of what excites a channel most lies on one single part, of more than sixty. The robust one is
# ahead in all three layers. Whoever must not be misled by small changes has to go by what a thing
# looks like, and its channels have more to do with things.
#
# And now the grey row. The random network has 0.18 in the same layer, and its most selective
# channel a share of 80 %, for *clock: face*. Nobody has taught it what a clock is! But little in
# this world has as much contrast as black ticks on white, and a random channel likes contrast, too.
# So a share is to be compared with that, and not with the base alone. And the random network's
# share falls: the higher the layer, the less; in the trained ones it does not.
#
# **An experiment.** A name that comes from counting is still only a correlation. Perhaps the
# channel looks for something that happens to lie beside the part. But we can draw each specimen
# again, *without* the part, and with everything else the same. What is left of the channel's peak?
# And to compare with, without another part of the same thing (about 10 seconds)?

# %% tags=["look"]
def left_without(one, missing, count=steps(8, 1)):
    """The share of a channel's peak that is left in fresh specimens without a part."""
    kind, _ = one.name.split(": ")
    drawn = [torch.cat([specimens.draw(seed, kind, without=parts).image for seed in range(count)])
             for parts in ((), (missing,))]
    whole, without = (peaks(networks[clearest], batched(x, device), [LAYER])[LAYER]
                      .values[:, one.channel].sum() for x in drawn)
    return min((without / whole).item(), 1.0)

with needs("receptive_field"):
    if TRUTH:
        left = {}
        for one in progress(best_of_each(selective(clearest, LAYER), steps(10, 3)), "detectors"):
            kind, part = one.name.split(": ")
            others = [left_without(one, p) for p in specimens.part_names(kind) if p != part]
            left[f"{one.channel}: {one.name}"] = {"without it": left_without(one, part)} | (
                {"without another part": sum(others) / len(others)} if others else {})
        display(plots.bars(left, caption="what is left of the channel's peak"))
    else:
        print(NO_TRUTH)

# %% tags=["figures"]
lost = {words: row["without it"] for words, row in left.items()}
others_left = {words: row["without another part"] for words, row in left.items() if len(row) > 1}
seam = left["78: watermelon: rind"]

[claim("Without its part each of the ten loses more than two thirds of its peak",
       max(lost.values()) < 1 / 3),
 f"the snail's {percent(1 - lost['7: snail: shell'])}.",
 f"Without another part {spelled(sum(x > 0.8 for x in others_left.values()))} of "
 f"{spelled(len(others_left))} keep more than four fifths",
 f"Without the rind {seam['without it']:.2f} of it is left, without the flesh only "
 f"{seam['without another part']:.2f}."]

# %% [markdown]
# Without its part each of the ten loses more than two thirds of its peak, the snail's 99 %. Without
# another part seven of nine keep more than four fifths (the zebra ball has no other). So most of
# the names are earned. The two that are not are the watermelon's. Look at channel 78, called
# *rind*. Without the rind 0.31 of it is left, without the flesh only 0.22. It is no detector of
# rind. It needs the seam, and there is no seam without both: the gradients had said so, the
# counting could not.
#
# **Think.** "Channel 7 is a snail detector." What would you have to show before you believe that?
#
# <details><summary>One answer</summary>
#
# That its best patches are snails is one direction. The other: does it light up for *every* snail,
# small ones, turned ones, half hidden ones? And for nothing else, such as a spiral that is no
# snail? In this world only snails have spirals, so no picture of the collection can tell a snail
# detector from a spiral detector. Something new must be drawn.
# </details>
#
# **How this was found.** D. Bau, B. Zhou, A. Khosla, A. Oliva and A. Torralba, *Network dissection:
# quantifying interpretability of deep visual representations*, 2017, which names units by pictures
# whose every pixel is labelled. That robust networks have learned features that people recognise:
# L. Engstrom, A. Ilyas, S. Santurkar, D. Tsipras, B. Tran and A. Mądry, *Adversarial robustness as
# a prior for learned representations*, 2019.

# %% [markdown]
# ## 6. In your own words (2 points)
#
# Choose a channel, look at its patches, and write down what you think it looks for. This answer is
# read by a person, and earns
#
# - **one point** for a claim in a sentence or two, with at least two observations that speak for
# it:   patches, gradients, what the patches lie on, or numbers from above;
# - **one point** for an experiment that could show you wrong: what would you draw or compute, and
#   which outcome would make you give up the claim?
#
# Above each patch stands what its middle lies on. Change `CHANNEL` (0 to 127) and `WHO`.

# %% tags=["look"]
CHANNEL, WHO = 48, clearest

with needs("receptive_field", "max_activating_patches"):
    patches, gradients = with_gradients(WHO, CHANNEL, 16)
    above = [""] * 16
    if TRUTH:
        best = found[WHO][LAYER].values[:, CHANNEL].topk(16).indices
        size, stride, start = receptive_field(windows(model, LAYER))
        rows, cols = (start + stride * x[best, CHANNEL] + size // 2 for x in found[WHO][LAYER][1:])
        above = [owner_names()[i].replace(": ", "\n")
                 for i in owners_at(collection, best, rows, cols)]
    display(plots.show([patches[:8], gradients[:8], patches[8:], gradients[8:]],
                       [above[:8], [""] * 8, above[8:], [""] * 8], height=0.95,
                       caption=f"channel {CHANNEL}, {WHO}"))

# %% [markdown] nbgrader={"grade_id": "question_answer", "grade": true, "solution": true, "points": 2}
# **Your answer.**
#
# <!-- ### BEGIN SOLUTION -->
# Channel 48 looks for dark dots in rows on a light band with orange beside it, and not for the cone
# as such. Two observations: in all sixteen patches the band with its dots lies in the middle, while
# tip and foot of the cone are there in some and not in others; and the gradient, and still more
# guided backprop, is strong on the dots and weak on the rest of the cone.
#
# Experiment: paint the band of twenty cones orange, so that the cone stays and the dots go. If the
# peak then stays nearly as high as before, I give up the claim. And the other way round, put the
# band on a plain orange ground, without any cone. If the peak falls to nothing there, the outline
# of the cone was needed, and the claim is wrong, too.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## 7. Play: a specimen that turns
#
# All maps of a layer at once, and one of them laid over the picture. Turn the specimen, make it
# larger, go through the channels, or tick *turn* and watch: which maps follow the thing, which
# follow the ground, and which light up at one angle only? (Where no kernel runs, as on a web page,
# only the panel's first picture is left.)

# %% tags=["look"]
SCENES = {"ladybug": 3, "butterfly": 5, "clock": 2, "owl": 4}  # kind -> seed
scenes = ({kind: (seed, kind) for kind, seed in SCENES.items()} if TRUTH
          else {name(int(k)): x[None] for x, k in zip(X[:6], y)})
widgets.activation_panel(networks, scenes, LAYERS, activation_maps=activation_maps)

# %% [markdown]
# That is the end of the first notebook. You have looked at what a unit weighs, at what it gives, at
# what it can see, and at what it likes best; and you have asked of a name whether it is earned. The
# next notebook looks at the other end of the network: at the last layer, where pictures that mean
# the same lie side by side.
#
# **To hand in**, save the notebook and give its file to your course, under the name that it has.
# `cs-vis check 01_filters_and_activations.ipynb`, in a terminal, says whether it is whole and of
# this version. And here are the points of the checks that passed in this session:

# %% tags=["look"]
check.progress()
