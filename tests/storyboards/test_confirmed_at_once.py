"""Two people confirm the same draft at the same moment: real connections, real commits."""

import pytest

from generation.models import Plan, PlanTextChange, Version
from storyboards.models import StoryboardImport
from storyboards.services import confirmation
from storyboards.states import ImportState
from tests.services.racing import errors, race
from tests.storyboards.boards import board, read

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_who_confirm_at_once_get_the_same_and_make_nothing_twice() -> None:
    draft = read([board(1), board(2), board(3)])

    results = race(*[lambda: confirmation.confirm(draft, actor=None)] * 2)

    assert errors(results) == []
    first, second = results
    assert (
        first.made
        == second.made
        == {
            "plans": 3,
            "new": 3,
            "changed": 3,
            "panels": 3,
            "omitted": 0,
        }
    )
    assert StoryboardImport.objects.get().state == ImportState.CONFIRMED
    assert (Plan.objects.count(), PlanTextChange.objects.count()) == (3, 3)
    assert Version.objects.count() == 3
