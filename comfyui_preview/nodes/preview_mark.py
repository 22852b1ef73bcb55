"""The PREVIEW mark that every image of a preview server carries in a corner."""

from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

TEXT = "PREVIEW"
# the mark's height as a share of the picture's, and its least height in px
SHARE = 0.03
LEAST_PX = 9


def marked(picture: Image.Image) -> Image.Image:
    """A copy of the picture with the mark in its lower right corner."""
    label = _label(max(LEAST_PX, round(picture.height * SHARE)))
    gap = label.height // 2
    copy = picture.convert("RGB")
    place = (max(0, picture.width - label.width - gap), max(0, picture.height - label.height - gap))
    copy.paste(label, place, label)
    return copy


@lru_cache(maxsize=8)
def _label(height: int) -> Image.Image:
    font = ImageFont.load_default(size=height * 0.62)
    gap = height * 0.12
    widths = [font.getlength(letter) + gap for letter in TEXT]
    width = round(sum(widths) - gap + height * 0.9)
    label = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(label)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), height / 4, fill=(16, 14, 12, 150))
    x = height * 0.45
    for letter, step in zip(TEXT, widths, strict=True):
        draw.text((x, height / 2), letter, font=font, anchor="lm", fill=(255, 250, 240, 235))
        x += step
    return label
