"""How the tests are dealt out to the processes of a run."""

from tests.dealing import deal

LONG = [f"tests/acceptance/test_{name}.py::{n}" for name in "abc" for n in range(2)]
SHORT = [f"tests/unit/test_{name}.py::{n}" for name in "defghij" for n in range(3)]


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def test_each_process_begins_with_its_share_of_the_longest() -> None:
    dealt = deal(LONG + SHORT, 3, _file_of)

    shares = [dealt[start : start + 9] for start in (0, 9, 18)]
    assert [share[:2] for share in shares] == [LONG[0:2], LONG[2:4], LONG[4:6]]


def test_all_tests_are_dealt_once_in_one_order_however_they_were_found() -> None:
    dealt = deal(LONG + SHORT, 4, _file_of)

    assert sorted(dealt) == sorted(LONG + SHORT)
    assert dealt == deal(SHORT + LONG, 4, _file_of)


def test_the_tests_of_a_file_stay_in_their_order() -> None:
    dealt = deal(LONG + SHORT, 2, _file_of)

    of_one = [test for test in dealt if _file_of(test) == "tests/unit/test_e.py"]
    assert of_one == [f"tests/unit/test_e.py::{n}" for n in range(3)]
