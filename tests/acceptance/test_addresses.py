"""Addresses that lead to one ComfyUI, or to two in turn, with real processes."""

import pytest

from comfyui_preview.journal import Entry, entries, renders
from tests.acceptance import wholeness
from tests.acceptance.conftest import CODES
from tests.balancer import forward
from tests.processes import Site, Sites

pytestmark = pytest.mark.slow

ASIDE = "SELECT url, set_aside_code FROM generation_server WHERE set_aside_code <> '' ORDER BY url"
DEPTH = 2


def test_one_comfyui_under_three_names_is_soon_given_no_more_than_one_has(site: Site) -> None:
    url = site.previews[0].url
    with forward(url) as gate:
        names = [url, url.replace("127.0.0.1", "localhost"), gate.url]
        site.settings["COMFYUI_SERVERS"] = ",".join(names)
        site.work()

        site.generate(CODES)

        site.wait_done()
    assert dict(site.rows(ASIDE)) == dict.fromkeys(names[1:], "same_server")
    # Until they are known to be one, each other name may have posted a first prompt.
    assert most_at_once(list(entries(site.previews[0].journal))) <= DEPTH + len(names) - 1
    assert wholeness.published_once(site, n_plans=12) == []
    assert set(renders(site.previews[0].journal).values()) == {1}


def most_at_once(journal: list[Entry]) -> int:
    """Return how many prompts were on a server at one time, at the most."""
    steps = {"accepted": 1, "finished": -1, "deleted": -1}
    there = [0]
    for entry in journal:
        there.append(there[-1] + steps.get(entry["event"], 0))
    return max(there)


def test_three_like_comfyuis_at_once_are_three(sites: Sites) -> None:
    site = sites.new()
    previews = [site.preview("--seconds-per-plan", "0.7") for _ in range(3)]
    site.work()

    site.generate(CODES)

    site.wait_done()
    assert site.rows(ASIDE) == []
    assert min(sum(renders(preview.journal).values()) for preview in previews) >= 1
    site.close()
