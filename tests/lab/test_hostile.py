"""The runner: it knows its kinds, and says what does not hold by its exit code."""

from collections.abc import Iterator

import pytest

from lab.hostile import __main__ as runner
from lab.hostile.fact import Fact
from lab.hostile.hostile_sites import Ground


def harmless(ground: Ground) -> Iterator[Fact]:
    yield Fact("The sky is blue", "blue", holds=True)


def harmful(ground: Ground) -> Iterator[Fact]:
    yield Fact("The sky is blue", "blue", holds=True)
    yield Fact("The sky is green", "blue", holds=False)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "kinds", lambda: {"harmless": harmless, "harmful": harmful})


def test_a_module_with_facts_is_a_kind() -> None:
    assert "anonymous" in runner.kinds()
    assert not {"fact", "hostile_sites", "test_hostile"} & set(runner.kinds())


def test_it_ends_well_when_every_fact_holds(known: None) -> None:
    assert runner.main(["harmless"]) == 0


def test_every_fact_is_a_line_and_one_that_does_not_hold_ends_it_with_1(
    known: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.main([]) == 1
    assert "  WRONG The sky is green: blue" in capsys.readouterr().out.splitlines()


def test_a_kind_that_nobody_knows_is_refused(known: None) -> None:
    with pytest.raises(SystemExit):
        runner.main(["nobody"])
