"""However many clients ask at once, the web process holds a bounded number of connections."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.processes import DATABASE_URL, Sites

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATABASE_URL, reason="SQLite has no connections to count"),
]

N_THREADS = 3
N_CLIENTS = 40
OTHERS = """SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


def test_a_crowd_of_clients_is_answered_over_a_few_connections_that_stay(sites: Sites) -> None:
    site = sites.new(MADSEA_WEB_THREADS=str(N_THREADS))
    headers = {"Authorization": f"Token {sites.access['token']}"}
    address = f"{site.web()}/api/batches"

    def ask(_: int) -> int:
        return requests.get(address, headers=headers, timeout=120).status_code

    with ThreadPoolExecutor(N_CLIENTS) as clients:
        statuses = list(clients.map(ask, range(3 * N_CLIENTS)))

    assert statuses == [200] * (3 * N_CLIENTS)
    assert site.value(OTHERS) == N_THREADS


def test_a_web_process_whose_connections_were_cut_goes_on_without_an_error(sites: Sites) -> None:
    site = sites.new(MADSEA_WEB_THREADS="1")
    headers = {"Authorization": f"Token {sites.access['token']}"}
    address = f"{site.web()}/api/batches"
    assert requests.get(address, headers=headers, timeout=120).status_code == 200
    site.cut_connections()

    assert requests.get(address, headers=headers, timeout=120).status_code == 200
