"""Functions written for other courses' assignments pass the checks: as they are, or by one line.

CS231n and EECS 498 both ask for compute_saliency_maps(X, y, model). What is here was written for
this test, in the way that these assignments suggest: backward() into X.grad.
"""

import pytest

from cs_vis import check


def compute_saliency_maps(X, y, model):
    model.eval()
    X.requires_grad_()
    X.grad = None
    scores = model(X)  # (N, K)
    of_label = scores.gather(1, y.view(-1, 1)).squeeze(1)  # (N,)
    of_label.sum().backward()
    saliency, _ = X.grad.data.abs().max(dim=1)  # (N, H, W)
    return saliency


def trusting_maps(X, y, model):
    """The same for pictures that are new in each call, as these courses' notebooks have them."""
    X.requires_grad_()
    model(X).gather(1, y.view(-1, 1)).sum().backward()
    return X.grad.abs().max(dim=1)[0]


def maps_of(network, pictures, labels):
    """Other names, in another order."""
    return compute_saliency_maps(pictures, labels, network)


def test_as_it_is(capsys):
    check.compute_saliency_maps(compute_saliency_maps)
    assert capsys.readouterr().out.startswith("✓")


def test_a_gradient_that_is_not_cleared_is_said_and_one_line_mends_it(capsys):
    with pytest.raises(check.CheckFailed, match="X.grad held a gradient from before"):
        check.compute_saliency_maps(trusting_maps)
    check.compute_saliency_maps(lambda X, y, model: trusting_maps(X.detach(), y, model))
    assert capsys.readouterr().out.startswith("✓")


def test_other_names_and_order_take_one_line(capsys):
    with pytest.raises(check.CheckFailed):
        check.compute_saliency_maps(maps_of)
    check.compute_saliency_maps(lambda X, y, model: maps_of(model, X, y))
    assert capsys.readouterr().out.startswith("✓")
