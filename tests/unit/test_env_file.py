"""The file .env: heard whole, or refused with its line."""

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from madsea import env_file

NAME, OTHER = "MADSEA_TEST_A", "MADSEA_TEST_B"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    # Set first, so that what the file sets is taken away again.
    monkeypatch.setenv(NAME, "")
    monkeypatch.setenv(OTHER, "")
    monkeypatch.delenv(NAME)
    monkeypatch.delenv(OTHER)


def written(tmp_path: Path, content: bytes) -> Path:
    (tmp_path / ".env").write_bytes(content)
    return tmp_path / ".env"


def test_what_the_environment_says_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "mine")

    env_file.load(written(tmp_path, f"{NAME}=its\nexport {OTHER}='a b'\n".encode()))

    assert (os.environ[NAME], os.environ[OTHER]) == ("mine", "a b")


def test_no_file_is_no_error(tmp_path: Path) -> None:
    env_file.load(tmp_path / ".env")


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"# \xc3\xa9\n\n"])
def test_comments_blank_lines_and_a_byte_order_mark_are_passed_over(
    tmp_path: Path, start: bytes
) -> None:
    env_file.load(written(tmp_path, start + f"{NAME}=é\r\n".encode()))

    assert os.environ[NAME] == "é"


def test_a_value_in_quotes_may_have_several_lines(tmp_path: Path) -> None:
    env_file.load(written(tmp_path, f'{NAME}="http://a,\nhttp://b"\n'.encode()))

    assert os.environ[NAME] == "http://a,\nhttp://b"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f"{NAME}=http://a:1,\nhttp://b:2\n", 2),
        (f"\n\n{NAME}=http://a:1,\n  http://b:2/?token=s3cret\n", 4),
        (f"# words\n{NAME}\n", 2),
        (f"{NAME}=1\n\n= 5\n", 3),
        (f'{NAME}="open\n', 1),
        ("2ND=1\n", 1),
    ],
)
def test_a_line_that_says_nothing_is_refused_with_its_number(
    tmp_path: Path, content: str, line: int
) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"line {line}, is no NAME=value") as refused:
        env_file.load(written(tmp_path, content.encode()))

    assert "s3cret" not in str(refused.value)


def test_latin_1_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="line 2, holds a character that is not UTF-8"):
        env_file.load(written(tmp_path, f"A=1\n{NAME}=é\n".encode("latin-1")))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
def test_utf_16_is_refused(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="save it as UTF-8"):
        env_file.load(written(tmp_path, f"{NAME}=1\n".encode(encoding)))


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="cannot be read: Is a directory"):
        env_file.load(tmp_path)
