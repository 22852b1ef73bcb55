"""What people send as images: each is taken and shown right, or refused with words."""

import struct
import zlib
from collections.abc import Callable

import pytest
from PIL import Image

from generation.decoding import pillow_images
from generation.examined_images import Examined, UnreadableImage
from tests import pictures as made

MAX_PX = 10**8


def examined(content: bytes) -> Examined:
    return pillow_images.examine(content, max_pixels=MAX_PX)


def served(content: bytes) -> bytes:
    found = examined(content).served
    return content if found is None else found


def small(content: bytes, width_px: int = 160) -> Image.Image:
    [reduced] = pillow_images.reduce(content, widths_px=[width_px], max_pixels=MAX_PX)
    return made.opened(reduced)


def refusal(content: bytes) -> UnreadableImage:
    with pytest.raises(UnreadableImage) as refused:
        examined(content)
    return refused.value


@pytest.mark.parametrize("content", made.DIRTY.values(), ids=list(made.DIRTY))
def test_what_no_picture_needs_is_not_served(content: Callable[[], bytes]) -> None:
    shown = served(content())

    assert made.HTML not in shown
    assert made.GPS not in shown
    assert made.opened(shown).convert("RGB").tobytes() == (
        made.opened(content()).convert("RGB").tobytes()
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_is_nothing_but_a_picture_is_served_as_it_is(kind: str) -> None:
    assert examined(made.plain(kind)).served is None


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_picture_on_its_side_is_measured_and_served_upright(kind: str, orientation: int) -> None:
    found = examined(made.turned(kind, orientation))
    shown = made.opened(found.served or b"")

    assert (found.decoded.width_px, found.decoded.height_px) == (36, 64)
    assert (shown.size, dict(shown.getexif())) == ((36, 64), {})
    assert small(made.turned(kind, orientation)).size == (36, 64)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_is_upright_is_the_right_way_up(kind: str) -> None:
    shown = made.opened(served(made.turned(kind, 6))).convert("L")

    assert shown.getpixel((18, 4)) > 200
    assert shown.getpixel((18, 60)) < 50


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_there_is_not_turns_nothing(orientation: int) -> None:
    assert examined(made.turned("JPEG", orientation)).decoded.width_px == 64


def test_grey_of_16_bits_is_no_whiter_in_8() -> None:
    content = made.grey_of_16_bits(0x8080)

    assert made.opened(served(content)).getpixel((0, 0)) == 0x80
    assert small(content).getpixel((0, 0))[0] == pytest.approx(0x80, abs=2)  # type: ignore[index]


def test_grey_of_16_bits_keeps_what_is_clear() -> None:
    content = made.encoded(Image.new("I;16", made.SIZE, 500), "PNG", transparency=500)

    assert small(content).getpixel((0, 0))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_of_every_mode_has_a_small_picture(mode: str) -> None:
    assert small(made.plain("PNG", (320, 180), mode)).size == (160, 90)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_of_every_mode_has_a_small_picture(mode: str) -> None:
    assert small(made.plain("JPEG", (320, 180), mode)).size == (160, 90)


def test_a_picture_with_a_clear_colour_stays_clear() -> None:
    image = Image.new("P", made.SIZE, 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    content = made.encoded(image, "PNG", transparency=0)

    assert small(content).getpixel((0, 0))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (1, 65_500)])
def test_what_is_very_high_or_wide_has_a_small_picture(size: tuple[int, int]) -> None:
    found = small(made.plain("PNG", size, "L"))

    assert found.width <= 160
    assert found.height <= 640


@pytest.mark.parametrize(
    "broken",
    [
        made.chunk(b"eXIf", b"broken"),
        made.chunk(b"eXIf", b"II*\0" + struct.pack("<IH", 8, 60_000)),
        made.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  9\nzz")),
        made.chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 8\nnot hexadecimal"),
        made.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta tiff:Orientation='6"),
        made.chunk(b"iCCP", b"icc\0\0broken"),
        made.chunk(b"pHYs", b"1"),
        made.chunk(b"tRNS", b"\0"),
        made.chunk(b"tEXt", b"Comment\0cut")[:-1] + b"\0",
    ],
    ids=["eXIf", "eXIf-lies", "raw", "raw-text", "XMP", "ICC", "pHYs", "tRNS", "CRC of a text"],
)
def test_what_is_broken_beside_the_picture_is_no_matter(broken: bytes) -> None:
    content = made.with_chunks(broken)

    assert examined(content).decoded.width_px == 64
    assert small(content).size == (64, 36)


@pytest.mark.parametrize("n_bytes", [128, 2**19, 2**20])
def test_a_profile_is_taken_and_kept(n_bytes: int) -> None:
    assert examined(made.with_profile(n_bytes)).served is None


@pytest.mark.parametrize("n_bytes", [2**20 + 1, 8 * 2**20])
def test_a_profile_that_other_programs_do_not_open_is_taken_and_not_served(n_bytes: int) -> None:
    shown = served(made.with_profile(n_bytes))

    assert (b"iCCP" in shown, made.opened(shown).size) == (False, made.SIZE)


def test_a_profile_that_is_none_is_not_served() -> None:
    content = made.with_chunks(made.chunk(b"iCCP", b"icc\0\0" + zlib.compress(made.HTML)))

    assert b"iCCP" not in served(content)


def test_a_profile_that_unfolds_without_end_is_left_out_unread() -> None:
    packed = zlib.compress(bytes(64 * 2**20))
    content = made.with_chunks(made.chunk(b"iCCP", b"icc\0\0" + packed))

    assert b"iCCP" not in served(content)


def test_a_text_of_3_mib_is_no_damage() -> None:
    text = made.chunk(b"tEXt", b"workflow\0" + b"x" * 3 * 2**20)

    assert examined(made.with_chunks(text)).decoded.marks == ""


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        (b"zTXt", b"workflow\0\0"),
        (b"zTXt", b"prompt\0\0"),
        (b"iTXt", b"prompt\0\1\0\0\0"),
    ],
    ids=["a text", "a mark", "an international mark"],
)
def test_80_mib_packed_are_no_damage(kind: bytes, key: bytes) -> None:
    text = made.chunk(kind, key + zlib.compress(b"x" * 80 * 2**20))

    assert examined(made.with_chunks(text)).decoded.marks == ""


@pytest.mark.parametrize(
    "text",
    [
        made.chunk(b"tEXt", b"prompt\0" + b"7b0c" * 2**20),
        made.chunk(b"zTXt", b"prompt\0\0" + zlib.compress(b"7b0c")),
        made.chunk(b"iTXt", b"prompt\0\0\0en\0prompt\x007b0c"),
        made.chunk(b"iTXt", b"prompt\0\1\0en\0prompt\0" + zlib.compress(b"7b0c")),
    ],
    ids=["text of 4 MiB", "packed", "international", "international and packed"],
)
def test_the_graph_that_a_server_writes_is_read_however_it_writes_it(text: bytes) -> None:
    assert "7b0c" in examined(made.with_chunks(text)).decoded.marks


@pytest.mark.parametrize("film", [made.film_of_one, made.apng_of_one], ids=["WebP", "PNG"])
def test_a_film_of_one_picture_is_a_picture(film: Callable[[], bytes]) -> None:
    shown = made.opened(served(film()))

    assert shown.size == made.SIZE
    assert getattr(shown, "n_frames", 1) == 1
    assert b"ANIM" not in served(film())


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_film_is_refused_with_the_number_of_its_pictures(kind: str) -> None:
    assert "animation of 3 frames" in str(refusal(made.film(kind, 3)))


def test_of_an_mpo_the_first_picture_is_served() -> None:
    content = made.film("MPO", 3)

    assert examined(content).decoded.format == "jpg"
    assert served(content).count(b"\xff\xd8\xff") == 1


def test_a_progressive_jpeg_is_taken() -> None:
    content = made.encoded(Image.effect_noise(made.SIZE, 80), "JPEG", progressive=True)

    assert examined(content).served is None


@pytest.mark.parametrize("kind", [b"tEXt", b"IDAT", b"abCd", b"iTXt"])
def test_a_png_of_very_many_chunks_is_refused(kind: bytes) -> None:
    error = refusal(made.many_chunks(kind, 50_000))

    assert (error.code, "32,768 parts" in str(error)) == ("too_many_parts", True)


def test_pixels_in_many_pieces_are_put_together() -> None:
    content = made.with_chunks(made.chunk(b"IDAT") * 20_000)

    assert served(content).count(b"IDAT") == 1
    assert made.opened(served(content)).size == made.SIZE


def test_a_jpeg_of_very_many_segments_is_refused() -> None:
    whole = made.plain("JPEG")

    assert refusal(whole[:2] + b"\xff\xfe\0\2" * 50_000 + whole[2:]).code == "too_many_parts"


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    whole = made.encoded(Image.new("L", made.SIZE), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")

    assert refusal(whole[:last] + whole[last:-2] * 200 + whole[-2:]).code == "too_many_parts"


@pytest.mark.parametrize("twice", [b"IHDR", b"PLTE"])
def test_a_header_that_stands_twice_is_damage(twice: bytes) -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)

    assert refusal(made.with_chunks(made.chunk(twice, header) * 2)).code == "truncated"


def test_a_png_that_needs_a_decoder_of_its_own_is_refused() -> None:
    assert "CgBI" in str(refusal(made.with_chunks(made.chunk(b"CgBI", b"\x50\0\x20\6"))))


def test_a_jpeg_of_12_bits_is_refused_with_words() -> None:
    whole = made.plain("JPEG")
    at = whole.index(b"\xff\xc0") + 4

    assert "12 bits" in str(refusal(whole[:at] + b"\x0c" + whole[at + 1 :]))


def test_a_webp_whose_canvas_is_not_its_picture_is_refused() -> None:
    content = bytearray(made.with_riff(b"none", b""))
    content[24] = 200

    assert refusal(bytes(content)).code == "truncated"
