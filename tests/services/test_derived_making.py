"""Small pictures: made behind, the newest first, whatever the files are, and kept in order."""

import os
import shutil
import time
from pathlib import Path

import pytest

from generation import storage, thumbnails
from generation.decoding.child_process import Process
from generation.models import Plan, Version
from generation.models.version import Derived
from generation.services import derived_making, tree_audit, volumes
from generation.states import VersionState
from tests import factories
from tests import pictures as made
from tests.commands.running import run

pytestmark = pytest.mark.django_db
LONG_AGO_S = 10**9


@pytest.fixture
def maker() -> derived_making.Maker:
    return derived_making.Maker()


def states() -> list[str]:
    """How far each version's small pictures are, in the order in which they were published."""
    return list(Version.objects.order_by("pk").values_list("derived", flat=True))


def kept() -> list[Path]:
    """All that is kept, by name."""
    return sorted((storage.root() / storage.DERIVED).rglob("*.webp"))


def broken(plan: Plan) -> Version:
    return factories.version(plan, content=b"no image")


def test_all_widths_are_made_of_one_decoding(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    version = factories.version(plans[0], content=factories.png(1920, 1080))

    assert maker.make_pending() == 1

    sizes = [made.opened(thumbnails.thumbnail(version, w)).size for w in thumbnails.WIDTHS_PX]
    assert sizes == [(160, 90), (320, 180), (640, 360), (1280, 720)]
    assert states() == [Derived.MADE]


def test_the_newest_is_made_first(
    plans: list[Plan], maker: derived_making.Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived_making, "MOST", 1)
    versions = [factories.version(plan, content=factories.png(color="red")) for plan in plans]

    maker.make_pending()

    assert [each.pk for each in versions] == sorted(each.pk for each in versions)
    assert states() == [Derived.PENDING, Derived.PENDING, Derived.MADE]


def test_what_is_no_image_has_none_and_keeps_nobody_waiting(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    factories.version(plans[0])
    broken(plans[1])

    assert (maker.make_pending(), maker.make_pending()) == (2, 0)
    assert states() == [Derived.MADE, Derived.NONE]


def test_an_image_that_ends_its_decoder_has_none(
    plans: list[Plan], maker: derived_making.Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    factories.version(plans[0])
    ask = Process.ask

    def ended(self: Process, *arguments: object, **options: object) -> object:
        os.kill(self.pid, 9)
        return ask(self, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Process, "ask", ended)

    assert (maker.make_pending(), states()) == (1, [Derived.NONE])


def test_a_file_that_is_gone_has_none_until_it_is_tried_again(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    version = factories.version(plans[0])
    file = storage.absolute(version.path)
    content = file.read_bytes()
    file.unlink()
    maker.make_pending()
    without = states()

    file.write_bytes(content)
    run("derive", "--again")

    assert (without, states()) == ([Derived.NONE], [Derived.MADE])


def test_a_file_that_was_replaced_is_not_shown(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    version = factories.version(plans[0], content=factories.png(color="red"))
    storage.absolute(version.path).write_bytes(factories.png(color="tan"))
    maker.make_pending()

    assert (states(), kept()) == ([Derived.NONE], [])


def test_a_disk_that_takes_nothing_defers_and_does_not_spin(
    plans: list[Plan], maker: derived_making.Maker, projects_root: Path
) -> None:
    factories.version(plans[0])
    (projects_root / storage.DERIVED).write_bytes(b"in the way")

    assert (maker.make_pending(), maker.make_pending(), maker.n_settled) == (1, 0, 0)
    assert states() == [Derived.PENDING]


def test_files_of_a_share_that_is_away_keep_the_others_from_nothing(
    plans: list[Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(derived_making, "MOST", 1)
    factories.version(plans[0])
    away = factories.version(plans[1], path="elsewhere/E202/SQ0010/AI-concept/a.png")
    shutil.rmtree(storage.absolute("elsewhere"))

    said = run("derive")

    assert said == "1 version settled, 0 files removed.\n"
    assert (away.derived, states()) == (Derived.PENDING, [Derived.MADE, Derived.PENDING])


def test_a_root_that_is_not_mounted_keeps_everything_pending(
    plans: list[Plan], maker: derived_making.Maker, projects_root: Path
) -> None:
    factories.version(plans[0])
    volumes.expected_marks()
    (projects_root / storage.MARK).unlink()

    maker.make_pending()

    assert states() == [Derived.PENDING]
    assert not (projects_root / storage.DERIVED).exists()


def test_what_readers_may_not_see_has_no_pictures(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    factories.reserved(plans[0])

    assert (maker.make_pending(), states()) == (0, [Derived.PENDING])


def test_two_makers_make_the_same_pictures(plans: list[Plan]) -> None:
    version = factories.version(plans[0])
    thumbnails.make(version, volumes.expected_marks())
    before = [file.stat().st_mtime_ns for file in kept()]

    assert derived_making.Maker().make_pending() == 1
    assert [file.stat().st_mtime_ns for file in kept()] == before


def test_a_sweep_finds_the_version_whose_picture_was_deleted(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    version = factories.version(plans[0])
    maker.make_pending()
    kept()[0].unlink()

    assert derived_making.sweep(version.sha256[:2]) == (0, 1)
    assert maker.make_pending() == 1
    assert len(kept()) == len(thumbnails.WIDTHS_PX)


def test_a_sweep_removes_what_no_version_needs(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    version = factories.version(plans[0])
    maker.make_pending()
    stray = kept()[0].with_name(f"{version.sha256[:2]}{'0' * 62}-320.webp")
    stray.write_bytes(b"of a version that a restored database does not have")
    os.utime(stray, (time.time() - LONG_AGO_S,) * 2)

    assert derived_making.sweep(version.sha256[:2]) == (1, 0)
    assert len(kept()) == len(thumbnails.WIDTHS_PX)


def test_a_sweep_leaves_what_is_being_made(plans: list[Plan]) -> None:
    version = factories.version(plans[0])
    thumbnails.make(version, volumes.expected_marks())
    Version.objects.update(sha256="0" * 64)

    assert derived_making.sweep(version.sha256[:2]) == (0, 0)
    assert len(kept()) == len(thumbnails.WIDTHS_PX)


def test_a_sweeper_goes_over_all_once_and_rests(plans: list[Plan], home: Path) -> None:
    version = factories.version(plans[0])
    derived_making.Maker().make_pending()
    kept()[0].unlink()
    (home / "thumbnails" / "2").mkdir(parents=True)
    sweeper = derived_making.Sweeper()

    [sweeper.step() for _ in derived_making.PREFIXES]
    after_one_round = states()
    derived_making.Maker().make_pending()
    storage.derived_files.remove(thumbnails.FOLDER)
    sweeper.step()

    assert after_one_round == [Derived.PENDING]
    assert not (home / "thumbnails").exists()
    assert (version.state, states()) == (VersionState.PUBLISHED, [Derived.MADE])


def test_the_pictures_of_an_older_series_are_removed(plans: list[Plan]) -> None:
    factories.version(plans[0])
    storage.derived_files.keep("thumbnails-2/aa", {"old.webp": b"old"}, volumes.expected_marks())

    assert derived_making.clear_of_older_releases() == 1
    assert storage.derived_files.names_in() == {}


def test_the_audit_passes_over_what_is_derived(
    plans: list[Plan], maker: derived_making.Maker
) -> None:
    factories.version(plans[0])
    maker.make_pending()

    assert tree_audit.audit_tree(storage.root()).findings == []


def test_the_command_says_what_it_has_done(plans: list[Plan]) -> None:
    factories.version(plans[0])

    assert run("derive") == "1 version settled, 0 files removed.\n"
