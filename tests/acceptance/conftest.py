"""Sites with real processes for these tests."""

from collections.abc import Iterator

import pytest

from tests import factories, shared
from tests.processes import Site, Sites

CODES = tuple(f"{10 * n:04d}" for n in range(1, 13))


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """What makes sites; they have panels of twelve plans of SQ0010."""
    panels = {
        f"E202_SQ0010-{code}_extracted-raw.png": factories.png(color=f"#0000{int(code):02x}")
        for code in CODES
    }
    model = shared.folder_of(tmp_path_factory) / "model"
    made = Sites(tmp_path_factory.mktemp("sites"), panels, model=model)
    yield made
    made.close()


@pytest.fixture
def site(sites: Sites) -> Iterator[Site]:
    """A site with one preview server."""
    made = sites.new()
    made.preview("--seconds-per-plan", "0.3")
    yield made
    made.close()


@pytest.fixture
def slow_site(sites: Sites) -> Iterator[Site]:
    """A site whose preview server takes two seconds for a plan: there is time to interrupt."""
    made = sites.new()
    made.preview("--seconds-per-plan", "2")
    yield made
    made.close()
