"""What a server may be registered with."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from generation.models import Server


@pytest.mark.parametrize(
    "headers",
    ["Bearer x", ["a"], {"a b": "c"}, {"X": 1}, {"X": "a\nb"}, {"X": None}],
)
def test_headers_that_no_request_could_carry_are_refused(headers: Any) -> None:
    server = Server(name="a", url="http://10.0.0.5:8188", headers=headers)
    with pytest.raises(ValidationError) as refused:
        server.clean()
    assert list(refused.value.message_dict) == ["headers"]


def test_only_http_addresses_are_taken() -> None:
    server = Server(name="a", url="ftp://10.0.0.5", headers={})
    with pytest.raises(ValidationError) as refused:
        server.clean()
    assert list(refused.value.message_dict) == ["url"]


def test_a_server_behind_a_login_is_taken() -> None:
    Server(name="a", url="https://gpu.studio", headers={"Authorization": "Bearer x"}).clean()
