"""Readers of the environment, loud about what they cannot use."""

from pathlib import Path

import pytest
import trustme
from django.core.exceptions import ImproperlyConfigured

from madsea import environment, private_files

NAME = "MADSEA_TEST"


@pytest.mark.parametrize(("raw", "read"), [(" x ", "x"), ("", "d"), ("  ", "d")])
def test_text_is_trimmed_and_blank_is_unset(
    raw: str, read: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    assert environment.text(NAME, "d") == read


@pytest.mark.parametrize(
    ("raw", "read"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("", False)]
)
def test_a_flag_is_yes_or_no(raw: str, read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    assert environment.flag(NAME, default=not read) is read


def test_a_flag_that_is_unset_is_its_default() -> None:
    assert environment.flag(NAME, default=True) is True


def test_a_flag_that_is_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "perhaps")

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.flag(NAME, default=True)


@pytest.mark.parametrize(("raw", "read"), [("1", 1), ("9", 9), ("", 5)])
def test_a_whole_number_within_its_bounds_is_taken(
    raw: str, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    assert environment.whole_number(NAME, 5, low=1, high=9) == read


@pytest.mark.parametrize("raw", ["0", "10", "five", "1.5", "1e3"])
def test_a_number_out_of_bounds_or_none_at_all_is_refused(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.whole_number(NAME, 5, low=1, high=9)


def test_words_are_parted_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, " a, ,b ,")

    assert environment.comma_list(NAME) == ["a", "b"]


def test_addresses_lose_their_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "http://10.0.0.5:8188/, https://gpu.example/comfy/")

    assert environment.addresses(NAME) == ["http://10.0.0.5:8188", "https://gpu.example/comfy"]


@pytest.mark.parametrize(
    "raw", ["10.0.0.5:8188", "ftp://a", "http://", "http://a,http://a", "http://a,http://a/"]
)
def test_what_is_no_address_or_stands_twice_is_refused(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.addresses(NAME)


def test_a_secret_that_is_given_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, "given")

    assert private_files.kept_secret(NAME, tmp_path / "key") == "given"
    assert not (tmp_path / "key").exists()


def test_a_secret_is_made_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "key"
    made = private_files.kept_secret(NAME, file)

    assert private_files.kept_secret(NAME, file) == made
    assert len(made) >= 50
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").touch()

    with pytest.raises(ImproperlyConfigured, match="is empty"):
        private_files.kept_secret(NAME, tmp_path / "key")


@pytest.mark.parametrize(
    ("before", "after"),
    [(0o644, 0o600), (0o664, 0o660), (0o666, 0o660), (0o640, 0o640), (0o600, 0o600)],
)
def test_a_private_file_is_shut_to_others(tmp_path: Path, before: int, after: int) -> None:
    (tmp_path / "private").touch()
    (tmp_path / "private").chmod(before)

    private_files.keep_private(tmp_path / "private")

    assert (tmp_path / "private").stat().st_mode & 0o777 == after


def test_a_private_file_is_made_private(tmp_path: Path) -> None:
    private_files.keep_private(tmp_path / "folder" / "private", make=True)

    assert (tmp_path / "folder" / "private").stat().st_mode & 0o777 == 0o600


def test_a_private_folder_is_made_private_and_shut(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir(mode=0o755)

    private_files.keep_private_folder(tmp_path / "old")
    private_files.keep_private_folder(tmp_path / "new")

    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("old", "new")] == [0o700] * 2


def test_a_private_file_that_is_not_ours_is_left(tmp_path: Path) -> None:
    private_files.keep_private(tmp_path / "no-folder" / "private")

    assert not (tmp_path / "no-folder").exists()


@pytest.mark.parametrize("value", ["proxy", "10.0.0.1/8", "10.0.0", "10.0.0.1;10.0.0.2"])
def test_a_network_that_is_none_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWORKS", value)

    with pytest.raises(ImproperlyConfigured, match="NETWORKS"):
        environment.networks("NETWORKS")


def test_networks_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWORKS", "127.0.0.1, 10.1.0.0/16,::1")

    assert environment.networks("NETWORKS") == ["127.0.0.1", "10.1.0.0/16", "::1"]


SECRET_ADDRESS = "ftp://me:s3cret@gpu/?token=s3cret"


@pytest.mark.parametrize(
    "raw", [SECRET_ADDRESS, f"http://a:1,{SECRET_ADDRESS}", "http://me:s3cret@gpu:99999/?t=s3cret"]
)
def test_a_wrong_address_is_told_without_its_secrets(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME) as refused:
        environment.addresses(NAME)

    assert "s3cret" not in str(refused.value)


def test_one_address_by_two_logins_is_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "http://a:b@gpu:8188,http://gpu:8188/?token=x")

    with pytest.raises(ImproperlyConfigured, match="twice"):
        environment.addresses(NAME)


def test_certificates_are_those_of_the_first_variable_that_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_bytes(trustme.CA().cert_pem.bytes())
    monkeypatch.setenv("MADSEA_TEST_2", str(bundle))
    monkeypatch.setenv("MADSEA_TEST_3", "/none")

    assert environment.certificates(NAME, "MADSEA_TEST_2", "MADSEA_TEST_3") == str(bundle)
    assert environment.certificates(NAME) == ""


@pytest.mark.parametrize("place", ["/none/ca.pem", __file__])
def test_certificates_that_cannot_be_read_are_refused(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, place)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.certificates(NAME)


@pytest.mark.parametrize("raw", ["0", "10", "1_0", "+5", "５", "9" * 5000, "five"])
def test_a_refused_number_is_told_with_its_bounds(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured) as refused:
        environment.whole_number(NAME, 5, low=1, high=9)

    assert f"{NAME} must be a whole number from 1 to 9, not '{raw[:60]}" in str(refused.value)
    assert len(str(refused.value)) < 200


def test_a_city_alone_is_told_with_its_continent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "paris")

    with pytest.raises(ImproperlyConfigured, match="such as Europe/Paris, not 'paris'"):
        environment.time_zone(NAME, "UTC")


@pytest.mark.parametrize("raw", ["Europe", "../UTC", "/etc/passwd", "UTC+1"])
def test_what_is_no_time_zone_is_refused(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.time_zone(NAME, "UTC")


def test_a_choice_is_taken_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "loud")

    assert environment.upper_case_choice(NAME, "QUIET", among=("LOUD", "QUIET")) == "LOUD"
    with pytest.raises(ImproperlyConfigured, match="must be HIGH or LOW, not 'loud'"):
        environment.upper_case_choice(NAME, "LOW", among=("HIGH", "LOW"))


def test_a_folder_that_is_made_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, str(tmp_path / "a" / "b"))

    assert environment.folder(NAME, tmp_path, make=True).is_dir()


@pytest.mark.parametrize("place", [__file__, "/proc/none", f"{__file__}/below"])
def test_a_folder_that_cannot_be_made_is_told(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, place)

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}: the folder {place}"):
        environment.folder(NAME, Path("/"), make=True)


def test_a_folder_that_is_not_there_yet_is_waited_for_and_a_file_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, str(tmp_path / "share"))
    assert environment.folder(NAME, tmp_path) == tmp_path / "share"

    (tmp_path / "share").touch()
    with pytest.raises(ImproperlyConfigured, match="Not a directory"):
        environment.folder(NAME, tmp_path)


@pytest.mark.parametrize("raw", ["http://a\nhttp://b", "http://a http://b", "http://a\t:8188"])
def test_two_addresses_without_a_comma_are_not_one(
    raw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.addresses(NAME)


def test_hosts_are_names_without_scheme_and_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "madsea.studio,.studio,10.0.0.5,[::1],*")

    assert environment.hosts(NAME) == ["madsea.studio", ".studio", "10.0.0.5", "[::1]", "*"]


@pytest.mark.parametrize("raw", ["http://madsea.studio", "madsea.studio:8000", "a b", "*.studio"])
def test_what_is_no_host_s_name_is_refused(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.hosts(NAME)


@pytest.mark.parametrize("raw", ["x", "0", "1", "-5", "99999999999"])
def test_what_is_no_process_s_id_is_refused(raw: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, raw)

    with pytest.raises(ImproperlyConfigured, match=NAME):
        environment.process_ids(NAME)


def test_a_kept_secret_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()

    with pytest.raises(ImproperlyConfigured, match=f"{NAME}: .*Is a directory"):
        private_files.kept_secret(NAME, tmp_path / "key")


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "fr_FR.UTF-8", "LANGUAGE": "en_GB:fr"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "fr"}, "fr"),
        ({"LANGUAGE": "de:fr"}, "fr"),
        ({"LANG": "C.UTF-8"}, "setting"),
        ({"LANG": "fr_FR.UTF-8", "LC_ALL": "C"}, "setting"),
        ({}, "setting"),
    ],
)
def test_a_terminal_says_which_language_it_speaks(
    said: dict[str, str], spoken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in said.items():
        monkeypatch.setenv(name, value)

    assert environment.console_language("setting") == spoken
