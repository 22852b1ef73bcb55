"""Draws the six sample storyboard panels of E202: `python samples/draw_panels.py`."""

from collections.abc import Callable
from pathlib import Path

from pencil import Points, Sketch, ellipse, flipped, moved

FOLDER = Path(__file__).parent / "panels"
NEAR, MIDDLE, FAR = 62, 112, 172

# a girl in profile looking right, feet at 0,0, about 100 high, scarf flying behind her
GIRL: Points = [
    (-9, 0), (-8, -24), (-17, -27), (-11, -50), (-9, -62), (-4, -68), (-12, -71), (-38, -80),
    (-40, -73), (-58, -78), (-38, -88), (-13, -79), (-10, -90), (-4, -99), (5, -100), (11, -94),
    (11, -88), (15, -84), (10, -81), (9, -75), (3, -72), (7, -66), (10, -50), (17, -27), (9, -24),
    (10, 0), (3, 0), (1, -22), (-2, -22), (-3, 0),
]  # fmt: skip
# a captain in a long coat and a three-cornered hat, looking right, feet at 0,0
CAPTAIN: Points = [
    (-12, 0), (-13, -20), (-24, -18), (-17, -55), (-15, -76), (-6, -84), (-8, -92), (-20, -96),
    (-10, -104), (2, -112), (10, -104), (22, -98), (11, -93), (14, -87), (9, -82), (8, -78),
    (14, -72), (34, -66), (34, -60), (13, -60), (15, -40), (22, -16), (12, -18), (12, 0), (4, 0),
    (2, -18), (-2, -18), (-3, 0),
]  # fmt: skip
# a small boat with its mast at 0, water line at 0, about 110 wide
HULL: Points = [(-58, -16), (60, -20), (72, -24), (50, 8), (-44, 8)]
MAINSAIL: Points = [(3, -112), (3, -26), (52, -30)]
JIB: Points = [(-4, -100), (-4, -28), (-46, -26)]


def boat(sketch: Sketch, place: tuple[float, float], size: float, tone: int = NEAR) -> None:
    """A small sailing boat."""
    x, y = place
    sketch.line([(x, y - 10 * size), (x + 2, y - 122 * size)], 2.6 * size, 30, 3)
    sketch.wash(moved(MAINSAIL, place, size), tone + 18, angle=70, curved=False)
    sketch.wash(moved(JIB, place, size), tone + 30, angle=110, curved=False)
    sketch.wash(moved(HULL, place, size), tone, angle=8, curved=False)
    sketch.line([(x - 90 * size, y + 12 * size), (x + 95 * size, y + 12 * size)], 2, 90, 3)


def lighthouse_at_dusk() -> Sketch:
    """SQ0010-0010, wide: the lighthouse on its rock, a boat that comes home."""
    sketch = Sketch(10)
    sketch.disc((420, 250), 74)
    sketch.wash([(-20, 396), (120, 352), (240, 372), (330, 345), (470, 396)], FAR, angle=20)
    sketch.water(394, 176)
    rock = [(640, 560), (700, 470), (770, 448), (830, 396), (930, 372), (1010, 388), (1080, 352),
            (1180, 380), (1300, 372), (1300, 590), (1100, 600), (900, 584), (740, 590)]  # fmt: skip
    sketch.wash(rock, NEAR, angle=60)
    tower = [(908, 384), (928, 178), (982, 178), (1006, 384)]
    sketch.wash(tower, 88, angle=88, curved=False)
    sketch.wash([(922, 252), (927, 214), (985, 214), (990, 252)], 40, curved=False)
    sketch.wash([(914, 320), (919, 288), (995, 288), (999, 320)], 40, curved=False)
    sketch.wash([(914, 180), (996, 180), (996, 168), (914, 168)], 36, curved=False)
    sketch.wash([(934, 168), (938, 132), (972, 132), (976, 168)], 190, curved=False)
    sketch.wash([(928, 134), (955, 100), (982, 134)], 34, curved=False)
    for end in ((560, 96), (540, 128), (560, 166)):
        sketch.line([(930, 150), end], 1.4, 175)
    sketch.wash([(1056, 360), (1056, 312), (1092, 282), (1132, 312), (1132, 366)], 58, curved=False)
    boat(sketch, (300, 520), 1.35)
    sketch.gulls([(600, 210), (660, 176), (708, 226), (220, 160)])
    sketch.wash([(-20, 740), (-20, 664), (90, 640), (200, 676), (330, 740)], 40, angle=50)
    return sketch


def girl_at_the_bow() -> Sketch:
    """SQ0010-0020, medium: the girl at the bow with her spyglass."""
    sketch = Sketch(20)
    sketch.disc((960, 270), 96)
    sketch.water(468, 178)
    sketch.wash([(980, 470), (1060, 418), (1130, 440), (1200, 404), (1300, 440), (1300, 472)], FAR)
    sketch.wash([(-20, 610), (300, 596), (640, 560), (900, 486), (940, 492), (860, 600), (800, 740),
                 (-20, 740)], NEAR, angle=12)  # fmt: skip
    sketch.line([(860, 500), (1190, 362)], 7, 36, 4)
    for x, y in ((120, 600), (250, 592), (380, 582), (650, 552), (760, 524)):
        sketch.line([(x, y), (x + 2, y - 84)], 5, 40, 3)
    sketch.line([(-20, 522), (250, 508), (420, 496), (650, 468), (770, 438), (880, 486)], 6, 36, 4)
    sketch.wash(moved(GIRL, (540, 574), 3.3), 44, angle=75)
    sketch.wash([(562, 330), (640, 306), (644, 322), (578, 356)], 40, curved=False)
    sketch.wash([(604, 318), (690, 284), (698, 304), (612, 334)], 28, curved=False)
    sketch.line([(60, -10), (74, 610)], 13, 34, 5)
    sketch.wash(
        [(84, -20), (84, 330), (240, 372), (400, 300), (330, 120), (300, -20)], 140, angle=80
    )
    for x in (190, 290):
        sketch.line([(74, 40), (x, 590)], 2.2, 70)
    sketch.gulls([(780, 150), (840, 120), (1100, 170)], 18)
    return sketch


def whale_and_island() -> Sketch:
    """SQ0010-0030, wide: a whale's tail, far too near the boat."""
    sketch = Sketch(30)
    sketch.wash([(720, 372), (800, 330), (850, 250), (900, 268), (960, 214), (1020, 262),
                 (1090, 300), (1180, 330), (1240, 372)], FAR - 24, angle=65)  # fmt: skip
    sketch.water(370, 178)
    for x, y, lean in ((905, 270, 22), (1010, 258, -26), (1060, 290, 18)):
        sketch.line([(x, y), (x + lean / 2, y - 50), (x + lean, y - 86)], 3.4, 90, 3)
        for reach, drop in ((-38, 6), (-26, -16), (2, -26), (30, -12), (40, 10)):
            end = (x + lean + reach, y - 86 + drop)
            sketch.line(
                [(x + lean, y - 86), (x + lean + reach / 2, y - 100 + drop / 2), end], 3.2, 95
            )
    tail = [(356, 640), (372, 520), (398, 420), (404, 340), (360, 282), (270, 256), (196, 186),
            (290, 196), (376, 214), (424, 262), (470, 212), (556, 178), (650, 160), (586, 240),
            (500, 284), (452, 344), (462, 430), (492, 530), (530, 640)]  # fmt: skip
    sketch.wash(tail, NEAR, angle=80)
    for x in (408, 424, 440):
        sketch.line([(x, 350), (x + 4, 500)], 1.4, 30)
    foam = [(250, 650), (300, 606), (350, 626), (400, 600), (450, 622), (520, 596), (570, 632),
            (640, 650), (450, 676)]  # fmt: skip
    sketch.wash(foam, 226, angle=5)
    for x, y in ((270, 560), (300, 520), (590, 550), (618, 500), (560, 500)):
        sketch.line([(x, y), (x - 4, y + 14)], 2.4, 110)
    boat(sketch, (830, 560), 1.25)
    for x, size in ((800, 0.42), (862, 0.36)):
        sketch.wash(moved(flipped(GIRL), (x, 538), size), 30)
    sketch.gulls([(640, 100), (700, 70), (760, 118), (150, 120)])
    return sketch


def captain_at_the_wheel() -> Sketch:
    """SQ0020-0010, medium: the captain steers, the crew aloft."""
    sketch = Sketch(110)
    sketch.disc((350, 210), 66)
    sketch.water(432, 180)
    sketch.wash([(-20, 436), (60, 400), (150, 414), (230, 436)], FAR)
    sketch.wash(
        [(-20, 612), (400, 590), (900, 588), (1300, 610), (1300, 740), (-20, 740)], 70, angle=4
    )
    for x in range(-40, 1300, 120):
        sketch.line([(x + 90, 596), (x - 60, 730)], 1.6, 36)
    sketch.line([(-20, 500), (300, 488), (640, 484), (980, 488), (1300, 502)], 7, 40, 4)
    for x in (40, 170, 300, 1000, 1130, 1250):
        sketch.line([(x, 494), (x, 604)], 5, 44, 3)
    sketch.line([(920, -10), (930, 600)], 21, 36, 6)
    sketch.line([(640, 92), (1240, 74)], 8, 40, 4)
    sail = [(660, 96), (1220, 80), (1190, 250), (1230, 376), (960, 346), (700, 384), (680, 240)]
    sketch.wash(sail, 150, angle=86)
    sketch.line([(920, 80), (930, 600)], 19, 32, 6)
    for start, end in (((640, 92), (520, 492)), ((1240, 76), (1296, 480)), ((920, 10), (300, 486))):
        sketch.line([start, end], 2, 70)
    wheel = (642, 448)
    for radius in (92.0, 76.0):
        rim = ellipse(wheel, radius * 0.78, radius)
        sketch.line([*rim, rim[0]], 6, 34, 4)
    for spoke in ellipse(wheel, 92, 118)[::4]:
        sketch.line([wheel, spoke], 4.4, 34, 3)
    sketch.wash([(610, 600), (626, 470), (660, 470), (676, 600)], 48, curved=False)
    sketch.wash(moved(CAPTAIN, (506, 604), 3.2), 40, angle=80)
    sketch.wash(moved(flipped(GIRL), (1080, 78), 0.62), 34)
    sketch.gulls([(180, 130), (120, 170), (470, 90)], 17)
    return sketch


def storm() -> Sketch:
    """SQ0020-0020, wide: the ship under the wave."""
    sketch = Sketch(120)
    for cloud, tone in (
        ([(-20, -20), (-20, 120), (120, 150), (260, 110), (420, 140), (560, 90), (640, -20)], 150),
        ([(560, -20), (640, 70), (800, 96), (940, 70), (1120, 110), (1300, 80), (1300, -20)], 168),
    ):
        sketch.wash(cloud, tone, angle=15)
    sketch.water(520, 160, 22)
    wave = [(-20, 740), (-20, 400), (70, 300), (180, 214), (310, 176), (430, 196), (500, 254),
            (516, 322), (478, 302), (452, 340), (414, 304), (384, 330), (420, 400), (500, 480),
            (620, 540), (780, 580), (780, 740)]  # fmt: skip
    sketch.wash(wave, 66, angle=48)
    for shift in (36, 74, 116):
        curl = [(x + shift * 0.4, y + shift) for x, y in wave[2:7]]
        sketch.line(curl, 2, 32)
    for x, y in ((520, 350), (470, 356), (430, 350), (548, 318), (500, 392)):
        rim = ellipse((x, y), 7, 7)
        sketch.line([*rim, rim[0]], 1.6, 90)
    ship = [(690, 520), (716, 452), (930, 420), (1080, 362), (1066, 430), (1000, 520), (850, 560)]
    sketch.wash(ship, 46, angle=160)
    for foot, top in (
        ((800, 450), (748, 176)),
        ((910, 430), (872, 132)),
        ((1004, 398), (984, 190)),
    ):
        sketch.line([foot, top], 5, 34, 4)
    sketch.wash([(762, 214), (836, 202), (852, 320), (786, 338)], 96, angle=80)
    sketch.wash([(880, 178), (968, 170), (976, 318), (898, 332)], 88, angle=80)
    sketch.line([(1080, 362), (1170, 300)], 5, 36, 3)
    for top, foot in (((872, 132), (1170, 300)), ((748, 176), (700, 470))):
        sketch.line([top, foot], 1.8, 70)
    sketch.wash(
        [(560, 740), (700, 640), (860, 606), (1040, 640), (1300, 560), (1300, 740)], 52, angle=14
    )
    sketch.line([(1140, 96), (1110, 170), (1142, 180), (1104, 262)], 3.4, 60, 3)
    sketch.hatch((540, 60, 1280, 560), 176, 112)
    return sketch


def under_the_arch() -> Sketch:
    """SQ0020-0030, wide: a lantern in a rowing boat, under the arch of rock."""
    sketch = Sketch(130)
    sketch.disc((700, 330), 58)
    sketch.wash([(500, 428), (580, 400), (650, 414), (760, 392), (850, 428)], FAR)
    sketch.water(426, 178)
    arch = [(-20, -20), (1300, -20), (1300, 740), (1130, 740), (1060, 620), (1084, 520),
            (1010, 420),
            (1026, 330), (950, 232), (850, 172), (730, 140), (600, 152), (480, 196), (400, 280),
            (340, 330), (354, 430), (290, 520), (310, 620), (210, 740), (-20, 740)]  # fmt: skip
    sketch.wash(arch, 52, angle=62)
    for x in (560, 642, 800):
        sketch.wash([(x - 16, 130), (x, 196 + x % 37), (x + 17, 130)], 50, curved=False)
    for start, end in (
        ((120, 120), (180, 420)),
        ((1180, 160), (1120, 400)),
        ((240, 60), (300, 240)),
    ):
        sketch.line([start, ((start[0] + end[0]) / 2 + 14, (start[1] + end[1]) / 2), end], 2.4, 26)
    hull = [
        (520, 548),
        (560, 556),
        (700, 562),
        (850, 552),
        (892, 540),
        (850, 596),
        (700, 606),
        (566, 598),
    ]
    sketch.wash(hull, 40, angle=5)
    sketch.wash(moved(CAPTAIN, (640, 566), 1.1), 38, angle=80)
    sketch.wash(moved(GIRL, (806, 562), 1.0), 38, angle=80)
    sketch.line([(660, 500), (560, 640)], 4, 36, 3)
    sketch.line([(884, 548), (896, 470), (912, 452)], 3.4, 36, 3)
    sketch.wash([(902, 456), (926, 456), (922, 490), (906, 490)], 214, curved=False)
    for end in ((960, 440), (968, 476), (950, 510), (870, 440)):
        sketch.line([(914, 472), end], 1.2, 165)
    for y in (620, 640, 664):
        sketch.line([(580, y), (720, y + 4), (860, y - 2)], 1.6, 90)
    return sketch


PANELS: dict[str, Callable[[], Sketch]] = {
    "SQ0010-0010": lighthouse_at_dusk,
    "SQ0010-0020": girl_at_the_bow,
    "SQ0010-0030": whale_and_island,
    "SQ0020-0010": captain_at_the_wheel,
    "SQ0020-0020": storm,
    "SQ0020-0030": under_the_arch,
}


def main() -> None:
    """Draw all panels into samples/panels."""
    FOLDER.mkdir(exist_ok=True)
    for plan, draw in PANELS.items():
        draw().save(FOLDER / f"E202_{plan}_extracted-raw_v0001.png")


if __name__ == "__main__":
    main()
