"""Fills a site with plans to review: few different files, which many versions share."""

import hashlib
import io

from PIL import Image

from generation.models import Plan, Version
from generation.models.version import Derived
from generation.services import derived_making
from tests import factories

#: Run in a site's own environment.
PROGRAM = """
import os, sys
import django
os.environ["DJANGO_SETTINGS_MODULE"] = "madsea.settings"
django.setup()
from tests.browser import light_tables
light_tables.fill(*map(int, sys.argv[1:]))
"""
#: So many different pictures; further versions have addresses of their own and the same bytes.
PICTURES = 12


def photograph(number: int, size: tuple[int, int] = (1280, 720)) -> bytes:
    """Return something about as rich in detail as a rendered picture."""
    few = 10 + number, 6 + number
    coarse = [Image.effect_noise(few, 90).resize(size, Image.Resampling.BICUBIC) for _ in range(3)]
    fine = Image.merge("RGB", [Image.effect_noise(size, 12)] * 3)
    held = io.BytesIO()
    Image.blend(Image.merge("RGB", coarse), fine, 0.15).save(held, "PNG", compress_level=1)
    return held.getvalue()


def fill(n_plans: int, n_sequences: int) -> None:
    """Make plans of E202 with a panel and a picture each, and their small pictures."""
    per = -(-n_plans // n_sequences)
    codes = [f"{10 * (n + 1):04d}" for n in range(per)]
    sequences = {f"SQ{10 * (n + 1):04d}": codes for n in range(n_sequences)}
    plans = factories.plans(sequences)[:n_plans]
    for number, plan in enumerate(plans):
        plan.label, plan.position = f"{number // 26 + 1}{chr(65 + number % 26)}", number + 1
        plan.action = "INT. NIGHT. She opens the door and sees the sea."
        plan.dialogue = "MARIE: At last."
        plan.save()
    photographs = [photograph(number) for number in range(PICTURES)]
    made = [_versions(plan, photographs[n:] + photographs[:n]) for n, plan in enumerate(plans[:12])]
    maker = derived_making.Maker()
    while maker.make_pending():
        """More is to be made."""
    rows = [
        _like(version, plan)
        for number, plan in enumerate(plans[PICTURES:])
        for version in made[number % PICTURES]
    ]
    Version.objects.bulk_create(rows, batch_size=500)


def _versions(plan: Plan, contents: list[bytes]) -> list[Version]:
    """Return a panel and a picture, which do not show the same."""
    return [
        factories.version(
            plan,
            task=task,
            content=content,
            origin=Version.Origin.IMPORT,
            served_sha256=hashlib.sha256(content).hexdigest(),
            width_px=1280,
            height_px=720,
        )
        for task, content in zip(("extracted-raw", "AI-concept"), contents, strict=False)
    ]


def _like(version: Version, plan: Plan) -> Version:
    """Return the same for another plan; its file is not there, only what is made of it."""
    name = version.path.replace(
        f"{version.plan.sequence.code}-{version.plan.code}", f"{plan.sequence.code}-{plan.code}"
    )
    path = name.replace(f"/{version.plan.sequence.code}/", f"/{plan.sequence.code}/")
    same = {
        field.attname: getattr(version, field.attname)
        for field in Version._meta.concrete_fields
        if not field.primary_key
    }
    return Version(**same | {"plan_id": plan.pk, "path": path, "derived": Derived.MADE})
