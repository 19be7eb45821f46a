"""Pictures come in as they are, or not at all."""

import io
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cs_vis import images, require

PICTURE = arrays(np.uint8, st.tuples(st.integers(8, 20), st.integers(8, 20), st.just(3)))


def encoded(picture, kind="PNG", **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def picture(height=12, width=16, mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


# -- what comes in ---------------------------------------------------------------------------------

@settings(max_examples=50, deadline=None)
@given(PICTURE)
def test_every_source_gives_the_same_tensor(tmp_path_factory, pixels):
    path = tmp_path_factory.mktemp("pictures") / "a.png"
    Image.fromarray(pixels).save(path)
    data = path.read_bytes()
    expected = torch.from_numpy(pixels / 255).float().permute(2, 0, 1)[None]  # (1, 3, H, W)
    for source in (path, str(path), data, bytearray(data), io.BytesIO(data),
                   Image.fromarray(pixels), pixels, pixels / 255, (pixels / 255).astype("f4")):
        image = images.load(source)
        assert image.dtype == torch.float32 and image.is_contiguous()
        torch.testing.assert_close(image, expected, rtol=0, atol=1e-7)


@settings(max_examples=50, deadline=None)
@given(PICTURE)
def test_out_and_in_again_changes_no_pixel(tmp_path_factory, pixels):
    image = images.load(pixels)
    assert np.array_equal(np.asarray(images.to_pil(image)), pixels)
    for ending in ("png", "webp"):
        path = tmp_path_factory.mktemp("out") / f"a.{ending}"
        images.save(image, path)
        assert torch.equal(images.load(path), image)


def test_grey_palette_and_bilevel_pictures_become_rgb():
    for mode in ("L", "P", "1"):
        source = picture(mode=mode)
        expected = np.asarray(source.convert("RGB")) / 255
        np.testing.assert_allclose(images.to_numpy(images.load(encoded(source))), expected,
                                   atol=1e-6)
    grey = np.linspace(0, 1, 80).reshape(8, 10)
    assert torch.equal(*images.load(grey)[:, :2].split(1, dim=1))


def test_a_photograph_taken_sideways_stands_upright():
    source = picture(12, 16)
    mark = Image.Exif()
    mark[0x0112] = 6  # the camera was turned: rotate by 90 degrees
    image = images.load(encoded(source, exif=mark))
    expected = np.rot90(np.asarray(source), -1) / 255
    np.testing.assert_allclose(images.to_numpy(image), expected, atol=1e-6)


def test_the_sources_are_left_as_they_were():
    pixels = np.asarray(picture()).copy()
    before = pixels.copy()
    image = images.load(pixels)
    image.zero_()
    assert np.array_equal(pixels, before)
    source = picture(mode="L")
    images.load(source, size=8)
    assert source.mode == "L" and source.size == (16, 12)
    file = io.BytesIO(encoded(picture()))
    images.load(file)
    assert not file.closed


# -- size ------------------------------------------------------------------------------------------

@settings(max_examples=60, deadline=None)
@given(st.integers(8, 50), st.integers(8, 50), st.integers(8, 60), st.integers(8, 60))
def test_size_is_the_size_that_comes_out(height, width, rows, cols):
    source = np.zeros((height, width, 3), np.uint8)
    assert images.load(source, size=(rows, cols)).shape == (1, 3, rows, cols)
    shape = images.load(source, size=rows).shape[2:]
    assert min(shape) == rows
    assert abs(shape[0] * width - shape[1] * height) <= max(height, width)  # the aspect is kept


def test_scaling_agrees_with_pillow():
    source = picture(60, 90)
    for size, box in (((20, 20), (5, 0, 25, 20)), ((20, 30), (0, 0, 30, 20))):
        expected = source.resize((30, 20), Image.Resampling.BILINEAR).crop(box)
        image = images.load(source, size=size)
        np.testing.assert_allclose(images.to_numpy(image), np.asarray(expected) / 255,
                                   atol=1.5 / 255)


@pytest.mark.parametrize("size", [0, 7, -3, 2.5, "224", (224,), (224, 7), (8, 8, 8), True])
def test_a_bad_size_is_refused(size):
    with pytest.raises(ValueError, match="size=.* must be a whole number of pixels"):
        images.load(picture(), size=size)


def test_a_size_that_would_blow_up_a_strip_is_refused():
    for strip, size in (((8, 4000), 1000), ((8, 8), 10**4), ((8, 8), (9000, 9000))):
        with pytest.raises(ValueError, match="above 40 megapixels; choose a smaller size, or cut"):
            images.load(np.zeros((*strip, 3), np.uint8), size=size)


# -- what is refused -------------------------------------------------------------------------------

def sixteen_bit_rgb():
    """A PNG of 16 bits in each channel: Pillow reads such files, but does not write them."""
    import cv2
    return cv2.imencode(".png", np.full((12, 16, 3), 40000, np.uint16))[1].tobytes()


def header_only(width, height):
    """A PNG that claims this size and holds no pixels: reading it must stop at the header."""
    import struct
    import zlib
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body
            + struct.pack(">I", zlib.crc32(body)) + b"\0\0\0\0IDAT" + b"\0" * 4)


REFUSED = {
    "text": (b"not a picture at all", "is not a picture .*; give a file of one of the formats PNG"),
    "nothing": (b"", "is not a picture"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "is not a picture"),
    "cut off": (encoded(picture(99, 99))[:2000], "is damaged"),
    "CMYK": (encoded(picture(mode="CMYK"), "JPEG"), r"mode CMYK, .*RGB or grey; .*convert\('RGB'"),
    "Lab": (encoded(picture(mode="LAB"), "TIFF"), "mode LAB, .*RGB or grey"),
    "16-bit grey": (encoded(Image.fromarray(np.full((12, 16), 9, np.uint16))),
                    "16 bits or more in each channel, but pictures have 8; export it"),
    "16-bit RGB": (sixteen_bit_rgb(), "16 bits or more in each channel"),
    "float": (encoded(Image.fromarray(np.ones((12, 16), np.float32)), "TIFF"), "16 bits or more"),
    "alpha": (encoded(picture(mode="RGBA")), r"alpha channel \(mode RGBA\).*; drop it with"),
    "grey alpha": (encoded(picture(mode="LA")), r"alpha channel \(mode LA\)"),
    "transparent colour": (encoded(picture(), transparency=(0, 0, 0)), "alpha channel"),
    "transparent palette": (encoded(picture(mode="P"), transparency=0), "alpha channel"),
    "one pixel": (encoded(picture(1, 1)), "is 1 x 1 pixels, but no side may be below 8; choose"),
    "low": (encoded(picture(7, 100)), "is 7 x 100 pixels"),
    "41 megapixels": (header_only(4100, 10_000), "41.0 megapixels, but at most 40 are read; make"),
    "Pillow warns": (header_only(10_000, 10_000), "100.0 megapixels, but at most 40"),
    "Pillow refuses": (header_only(100_000, 100_000), "10000.0 megapixels, but at most 40"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("way", ["path", "bytes", "file"])
def test_a_bad_file_is_refused_with_a_sentence(kind, way, tmp_path):
    data, sentence = REFUSED[kind]
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    source = {"path": path, "bytes": data, "file": io.BytesIO(data)}[way]
    named = {"path": "source='.*bad.png'", "bytes": "source=<bytes>", "file": "source=<BytesIO>"}
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(ValueError, match=f"^{named[way]} .*{sentence}"):
            images.load(source)
    assert not warned  # Pillow's own warning of large pictures must not be what one sees


@pytest.mark.parametrize("mode, sentence", [
    ("RGBA", "alpha"), ("LA", "alpha"), ("CMYK", "mode CMYK"), ("HSV", "mode HSV"),
    ("I", "16 bits"), ("F", "16 bits")])
def test_a_bad_pil_image_is_refused(mode, sentence):
    with pytest.raises(ValueError, match=f"source=<PIL image, mode {mode}> .*{sentence}"):
        images.load(Image.new(mode, (16, 12)))


@pytest.mark.parametrize("array, error, sentence", [
    (np.zeros((16, 16, 4), np.uint8), ValueError, r"alpha channel; .*\[\.\.\., :3\]"),
    (np.zeros((3, 16, 16), np.uint8), ValueError, r"\(H, W, 3\).*transpose\(1, 2, 0\)"),
    (np.zeros((16, 16, 2), np.uint8), ValueError, r"must have shape \(H, W, 3\), or \(H, W\)"),
    (np.zeros(16, np.uint8), ValueError, "must have shape"),
    (np.zeros((1, 16, 16, 3), np.uint8), ValueError, "must have shape"),
    (np.zeros((7, 16, 3), np.uint8), ValueError, "7 x 16 pixels, but no side may be below 8"),
    (np.zeros((0, 16, 3)), ValueError, "0 x 16 pixels"),
    (np.broadcast_to(np.uint8(0), (8000, 8000, 3)), ValueError, "64.0 megapixels"),
    (np.zeros((16, 16, 3), np.uint16), TypeError, "uint8, or float.*divide 16-bit values by 65535"),
    (np.zeros((16, 16, 3), np.int64), TypeError, r"int64> must be uint8, or float in \[0, 1\]"),
    (np.zeros((16, 16, 3), bool), TypeError, "must be uint8"),
    (np.full((16, 16, 3), 255.0), ValueError, "from 255 to 255, .*divide bytes by 255"),
    (np.full((16, 16), -0.1), ValueError, r"must be in \[0, 1\]"),
    (np.full((16, 16), np.nan), ValueError, r"must be in \[0, 1\]"),
])
def test_a_bad_array_is_refused(array, error, sentence):
    with pytest.raises(error, match=f"^source=<array, .*{sentence}"):
        images.load(array)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_damaged_files_raise_nothing_but_our_sentence(noise, where):
    data = bytearray(encoded(picture()))
    data[where:where + len(noise)] = noise
    try:
        image = images.load(data)
    except ValueError as error:
        assert str(error).startswith("source=<bytearray> ")
    else:
        require.require_pictures(image)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="source='nowhere.png' does not exist; give the"):
        images.load("nowhere.png")
    with pytest.raises(FileNotFoundError, match="is a folder; give the path of a picture file"):
        images.load(tmp_path)


@pytest.mark.parametrize("source", [None, 3, [1, 2], torch.zeros(1, 3, 8, 8)])
def test_what_is_no_source_is_refused(source):
    with pytest.raises(TypeError, match="source=<.*> must be a path, a file object, bytes"):
        images.load(source)


# -- photographs, and what goes out ----------------------------------------------------------------

@pytest.mark.parametrize("name", images.HELD_OUT)
def test_the_photographs_are_there_offline(name):
    image = images.photo(name, size=(96, 128))
    require.require_pictures(image)
    assert image.shape == (1, 3, 96, 128)
    assert image.std() > 0.1  # a picture, not a flat field


def test_an_unknown_photograph_is_refused():
    with pytest.raises(ValueError, match="name='cat' is no photograph of the course; it has astro"):
        images.photo("cat")


def test_pictures_for_display_are_clamped_not_rescaled(device):
    image = torch.tensor([-1.0, 0.25, 3.0], device=device, dtype=torch.float64)
    image = image.view(1, 3, 1, 1).expand(1, 3, 8, 8).requires_grad_()
    pixels = images.to_numpy(image)
    assert pixels.shape == (8, 8, 3) and pixels.dtype == np.float32
    assert pixels[0, 0].tolist() == [0, 0.25, 1]
    assert np.asarray(images.to_pil(image[0]))[0, 0].tolist() == [0, 64, 255]


@pytest.mark.parametrize("image, error, sentence", [
    (np.zeros((8, 8, 3)), TypeError, "image is of type ndarray: pass a float tensor"),
    (None, TypeError, "image is of type NoneType"),
    (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), TypeError, r"torch.uint8: .*\.float\(\) / 255"),
    (torch.zeros(1, 3, 0, 8), ValueError, "must hold a picture"),
    (torch.zeros(2, 3, 8, 8), ValueError, r"one picture .* images\[i:i \+ 1\]"),
    (torch.zeros(8, 8), ValueError, "one picture"),
    (torch.zeros(8, 8, 3), ValueError, "one picture"),
    (torch.full((1, 3, 8, 8), torch.nan), ValueError, "image holds values that are NaN or infin"),
])
def test_what_cannot_be_shown_is_refused(image, error, sentence):
    with pytest.raises(error, match=sentence):
        images.to_pil(image)


@pytest.mark.parametrize("image, error, sentence", [
    (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), TypeError, r"image.float\(\) / 255"),
    (torch.full((1, 3, 8, 8), torch.nan), ValueError, "image holds values that are NaN"),
    (torch.full((1, 3, 8, 8), 255.0), ValueError, r"from 255 to 255, .*divide bytes"),
    (torch.zeros(0, 3, 8, 8), ValueError, "must hold a picture"),
    (np.zeros((1, 3, 8, 8)), TypeError, "image=<ndarray> must be a tensor"),
])
def test_what_cannot_be_scaled_is_refused(image, error, sentence):
    with pytest.raises(error, match=sentence):
        images.fit(image, 16)


@pytest.mark.parametrize("whole", [np.int64, np.uint8, np.int32])
def test_a_size_may_be_numpys(whole):
    image = torch.rand(1, 3, 12, 9, generator=torch.Generator())
    assert torch.equal(images.fit(image, whole(16)), images.fit(image, 16))
    assert torch.equal(images.fit(image, (whole(16), whole(20))), images.fit(image, (16, 20)))


def test_an_error_of_the_reader_is_one_sentence_not_three_tracebacks(tmp_path):
    (tmp_path / "bad.png").write_bytes(REFUSED["cut off"][0])
    for source in (tmp_path / "bad.png", b"text"):
        with pytest.raises(ValueError) as caught:
            images.load(source)
        assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_save_says_which_folder_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder '.*nowhere'; make it first"):
        images.save(torch.zeros(1, 3, 8, 8), tmp_path / "nowhere/a.png")
    for image in (torch.full((1, 3, 8, 8), torch.nan), torch.zeros(1, 3, 8, 8).byte()):
        with pytest.raises((ValueError, TypeError)):
            images.save(image, tmp_path / "a.png")
    with pytest.raises(TypeError, match="path=<NoneType> must be the path of a file"):
        images.save(torch.zeros(1, 3, 8, 8), None)
    assert not list(tmp_path.iterdir())


def test_save_refuses_a_format_it_does_not_know(tmp_path):
    with pytest.raises(ValueError, match=r"path='.*a\.exe' must end in one of \.png, \.webp"):
        images.save(torch.zeros(1, 3, 8, 8), tmp_path / "a.exe")
    assert not list(tmp_path.iterdir())


# -- batches ---------------------------------------------------------------------------------------

@pytest.mark.parametrize("batch, error, sentence", [
    (np.zeros((1, 3, 8, 8)), TypeError, "X=<ndarray> must be a tensor"),
    (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), TypeError, r"X has dtype torch.uint8.*/ 255"),
    (torch.zeros(3, 8, 8), ValueError, r"shape \(3, 8, 8\), but must have \(N, 3.*X\[None\]"),
    (torch.zeros(1, 8, 8, 3), ValueError, r"X\.permute\(0, 3, 1, 2\)"),
    (torch.zeros(1, 1, 8, 8), ValueError, r"X\.expand\(-1, 3, -1, -1\)"),
    (torch.zeros(1, 5, 8, 8), ValueError, "RGB pictures, channels second"),
    (torch.zeros(1, 3, 4, 8), ValueError, "below 8 pixels here; enlarge with images.fit"),
    (torch.zeros(0, 3, 8, 8), ValueError, "must hold a picture"),
    (torch.full((1, 3, 8, 8), torch.inf), ValueError, "NaN or infinite"),
    (torch.full((1, 3, 8, 8), 255.0), ValueError, r"from 255 to 255, .*\[0, 1\]; divide bytes"),
])
def test_a_bad_batch_is_refused(batch, error, sentence):
    with pytest.raises(error, match=sentence):
        require.require_pictures(batch, "X", smallest=8)


def test_a_good_batch_passes_on_any_device_and_dtype(device):
    for dtype in (torch.float16, torch.float32, torch.float64):
        require.require_pictures(torch.rand(2, 3, 5, 7, device=device).to(dtype))
