"""What results tell of the rule they were made by, each factor of the rule by itself."""

from itertools import combinations, product

AT_MOST = 3  # slips that are looked for at once

# A receptive field is counted layer by layer. Every table has what is right under "", and under
# the name of a slip its forms.
ORDERS = {  # of the layers
    "": [lambda layers: layers],
    "layers counted from the last": [lambda layers: layers[::-1]],
    "first layer left out": [lambda layers: layers[1:]],
    "last layer left out": [lambda layers: layers[:-1]],
    "one layer only": [lambda layers: layers[:1], lambda layers: layers[-1:]],
    "kernels of 1 left out": [lambda layers: [layer for layer in layers if layer[0] > 1],
                              lambda layers: [(k, s if k > 1 else 1, p) for k, s, p in layers],
                              lambda layers: [(k, s, p if k > 1 else 0) for k, s, p in layers]],
    "numbers of a layer exchanged": [lambda layers: [(k, p, s) for k, s, p in layers],
                                     lambda layers: [(s, k, p) for k, s, p in layers]],
}
SIZES = {  # of the size so far, kernel, own stride, padding, and the stride so far
    "": [lambda size, k, s, p, stride: size + (k - 1) * stride],
    "kernels without the stride": [lambda size, k, s, p, stride: size + k - 1],
    "kernel instead of kernel minus 1": [lambda size, k, s, p, stride: size + k * stride],
    "kernel times the layer's own stride": [lambda size, k, s, p, stride: size + (k - 1) * s],
    "kernels multiplied": [lambda size, k, s, p, stride: size * k],
    "last kernel only": [lambda size, k, s, p, stride: k,
                         lambda size, k, s, p, stride: 1 + (k - 1) * stride],
    "half kernels on both sides": [lambda size, k, s, p, stride: size + 2 * (k // 2) * stride],
    "size and stride by the rule from the last layer": [
        lambda size, k, s, p, stride: (size - 1) * s + k,
        lambda size, k, s, p, stride: (size - 1) * stride + k],
    "padding in the size": [
        lambda size, k, s, p, stride: size + (k - 1 + 2 * p) * stride,
        lambda size, k, s, p, stride: size + (k - 1 + p) * stride,
        lambda size, k, s, p, stride: size + (k - 1 - p) * stride,
        lambda size, k, s, p, stride: size + (k - 1) * stride + 2 * p,
        lambda size, k, s, p, stride: size + (k - 1) * stride + p,
        lambda size, k, s, p, stride: size + (k - 1) * stride - 2 * p,
        lambda size, k, s, p, stride: size + (k - 1 - 2 * p) * stride],
}
STARTS = {  # of the start so far, and the same
    "": [lambda start, k, s, p, stride: start - p * stride],
    "start always 0": [lambda start, k, s, p, stride: 0],
    "start has the opposite sign": [lambda start, k, s, p, stride: start + p * stride],
    "padding without the stride": [lambda start, k, s, p, stride: start - p],
    "padding times the layer's own stride": [lambda start, k, s, p, stride: start - p * s],
    "padding twice": [lambda start, k, s, p, stride: start - 2 * p * stride],
    "last padding only": [lambda start, k, s, p, stride: -p * stride,
                          lambda start, k, s, p, stride: -p],
    "centre instead of the start": [
        lambda start, k, s, p, stride: start + ((k - 1) / 2 - p) * stride,
        lambda start, k, s, p, stride: start + ((k - 1) // 2 - p) * stride,
        lambda start, k, s, p, stride: start + (k // 2 - p) * stride,
        lambda start, k, s, p, stride: start + (k / 2 - p) * stride,
        lambda start, k, s, p, stride: start - (k // 2) * stride,
        lambda start, k, s, p, stride: start - (k - 1) // 2 * stride,
        lambda start, k, s, p, stride: start + (k // 2) * stride],
}
STRIDES = {
    "": [lambda stride, s: stride * s],
    "stride not multiplied": [lambda stride, s: stride + s, lambda stride, s: s,
                              lambda stride, s: 1, lambda stride, s: stride + s - 1,
                              lambda stride, s: max(stride, s)],
}
MOMENTS = {  # when the stride is updated: the stride that (size, start) see, of before and after
    "": [lambda before, after: (before, before)],
    "stride updated too early": [lambda before, after: (after, after),
                                 lambda before, after: (before, after),
                                 lambda before, after: (after, before)],
}
ENDS = {  # of the three numbers
    "": [lambda size, stride, start: (size, stride, start)],
    "size one too large": [lambda size, stride, start: (size + 1, stride, start)],
    "size one too small": [lambda size, stride, start: (size - 1, stride, start)],
    "centre instead of the start": [
        lambda size, stride, start: (size, stride, start + (size - 1) / 2),
        lambda size, stride, start: (size, stride, start + size / 2),
        lambda size, stride, start: (size, stride, start + size // 2),
        lambda size, stride, start: (size, stride, start + (size - 1) // 2),
        lambda size, stride, start: (size, stride, size // 2),
        lambda size, stride, start: (size, stride, -(size // 2)),
        lambda size, stride, start: (size, stride, -((size - 1) // 2))],
    "another order of the three": [
        lambda size, stride, start: (size, start, stride),
        lambda size, stride, start: (stride, size, start),
        lambda size, stride, start: (stride, start, size),
        lambda size, stride, start: (start, size, stride),
        lambda size, stride, start: (start, stride, size)],
}
FACTORS = (ORDERS, SIZES, STARTS, STRIDES, MOMENTS, ENDS)


def counted(layers, order, widen, begin, multiply, moment, end) -> tuple:
    """The three numbers by these rules."""
    size, stride, start = 1, 1, 0
    for k, s, p in order(layers):
        after = multiply(stride, s)
        for_size, for_start = moment(stride, after)
        size, start = widen(size, k, s, p, for_size), begin(start, k, s, p, for_start)
        stride = after
    return end(size, stride, start)


def slips_of(found) -> tuple[str, ...] | None:
    """The fewest slips by which (layers, numbers) come about; None where no rule is known."""
    known = fewest(FACTORS, lambda *rules: all(counted(layers, *rules) == numbers
                                               for layers, numbers in found))
    return known and known[0]


def fewest(factors, holds, at_most=AT_MOST) -> tuple | None:
    """The fewest slips with which holds(*entries) is true, () for what is right, and the entries;
    None where there are none."""
    for number in range(at_most + 1):
        for names, entries in choices(factors, number):
            if holds(*entries):
                return tuple(dict.fromkeys(names)), entries
    return None


def choices(factors, number: int):
    """Each way to take so many of the factors in another form than the right one: the names of
    these slips, and the entries of all factors."""
    for places in combinations(range(len(factors)), number):
        kinds = [[name for name in factor if bool(name) == (place in places)]
                 for place, factor in enumerate(factors)]
        for names in product(*kinds):
            for entries in product(*(factor[name] for factor, name in zip(factors, names))):
                yield tuple(filter(None, names)), entries
