"""Supervisors make a version again from its page: as it was, or with another seed."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from generation.models import Batch, Version
from generation.states import RunState
from tests import factories
from tests.admin import pages
from tests.driver import flying


@pytest.fixture
def rendered(db: None) -> Version:
    """A version that a prompt made of a seed."""
    batch = factories.batch([RunState.DONE], workflow=flying.workflow(flying.SAMPLED))
    version = batch.versions.get()
    done = {"outcome": "done", "graph": flying.SAMPLED, "seed": "42"}
    version.attempt = factories.attempt(batch.runs.get(), **done)
    version.save()
    return version


def newest() -> Batch:
    return Batch.objects.order_by("-pk")[0]


def test_it_is_asked_before_a_version_is_made_again(office: Client, rendered: Version) -> None:
    question = pages.asked(office.post(pages.url("version", rendered.pk, "again")))

    assert "as a new version" in question.text
    assert Batch.objects.count() == 1


def test_a_version_is_made_again_as_it_was(
    office: Client, supervisor: User, rendered: Version
) -> None:
    said = pages.press_and_agree(office, "version", rendered, "again")

    assert said == ["1 version asked for again, as it was."]
    assert (newest().rerun_of, newest().requested_by) == (rendered, supervisor)
    assert newest().runs.get().seed == "42"


def test_a_version_is_made_with_another_seed(office: Client, rendered: Version) -> None:
    pages.press_and_agree(office, "version", rendered, "new_seed")

    assert newest().rerun_of == rendered
    assert newest().runs.get().seed not in {"", "42"}


def test_what_an_artist_uploaded_is_offered_none_of_it(office: Client, rendered: Version) -> None:
    uploaded = factories.version(rendered.plan, origin=Version.Origin.UPLOAD)

    assert 'data-act="again"' not in pages.text(office, pages.url("version", uploaded.pk))
    assert 'data-act="again"' in pages.text(office, pages.url("version", rendered.pk))


def test_a_picture_without_a_seed_is_offered_no_other(office: Client, rendered: Version) -> None:
    assert rendered.run is not None
    rendered.run.seed = ""
    rendered.run.save()

    shown = pages.text(office, pages.url("version", rendered.pk))

    assert 'data-act="new_seed"' not in shown
