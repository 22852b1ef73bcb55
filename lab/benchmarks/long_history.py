"""A long past, written by SQL: finished runs with their attempts, versions and log entries.

Ten rounds of batches over the same plans, a thousand plans to an episode and a batch; 2 of 100 runs
failed, 1 was cancelled. Attempts hold the graph of a production workflow. No file is written.
"""

import json

import psycopg

from generation.runtime.processes import ROOT

ROUNDS = 10
PLANS = 1000
N_SERVERS = 4
PROJECT_ID = "past-000"
#: The whole past has a multiple of so many runs.
STEP = ROUNDS * PLANS

_SERVERS = """
    INSERT INTO generation_server (id, name, url, headers, source, is_enabled, is_draining, health,
    health_detail, version, has_jobs_api, needs_reading, last_model_key, lease_owner, created_at,
    set_aside_code, set_aside_detail)
    SELECT n, 'gpu-' || n, 'http://127.0.0.1:1/' || n, '{}', 'admin', true, false, 'up', '', '0.3',
    false, false, '', '', now(), '', '' FROM generate_series(1, %(servers)s) n
"""
_PAST = (
    """
    CREATE TEMPORARY TABLE past AS
    SELECT i + 1 AS id, i %% %(plans)s AS plan, i / 1000 + 1 AS batch, i / %(plans)s + 1 AS round,
    CASE WHEN k < 2 THEN 'error' WHEN k = 2 THEN 'cancelled' ELSE 'done' END AS state,
    now() - interval '500 days' + i * interval '40 seconds' AS at
    FROM (SELECT i, (i %% %(plans)s * 7919 + i / %(plans)s * 31) %% 100 AS k
          FROM generate_series(0, %(runs)s - 1) i) numbered
    """,
    """
    INSERT INTO generation_project (id, code, created_at)
    SELECT n + 1, 'past-' || lpad(n::text, 3, '0'), now()
    FROM generate_series(0, (%(episodes)s - 1) / 10) n
    """,
    """
    INSERT INTO generation_episode (id, project_id, season, code, created_at)
    SELECT n + 1, n / 10 + 1, 'S02', 'E2' || lpad((n %% 10 + 1)::text, 2, '0'), now()
    FROM generate_series(0, %(episodes)s - 1) n
    """,
    """
    INSERT INTO generation_sequence (id, episode_id, code, created_at)
    SELECT n + 1, n / 20 + 1, 'SQ' || lpad((n %% 20 * 10 + 10)::text, 4, '0'), now()
    FROM generate_series(0, %(episodes)s * 20 - 1) n
    """,
    """
    INSERT INTO generation_plan (id, sequence_id, code, created_at)
    SELECT n + 1, n / 50 + 1, lpad((n %% 50 * 10 + 10)::text, 4, '0'), now()
    FROM generate_series(0, %(plans)s - 1) n
    """,
    """
    INSERT INTO generation_workflow (id, name, sha256, graph, created_at)
    VALUES (1, 'Past.json', repeat('0', 64), %(graph)s, now())
    """,
    """
    INSERT INTO generation_batch (id, public_id, episode_id, style_id, workflow_id, mode, params,
    needs_panel, priority, revision, has_started, n_total, n_queued, n_waiting, n_running, n_done,
    n_error, n_cancelled, created_at, served_at, finished_at)
    SELECT batch, 'past' || lpad(batch::text, 12, '0'), min(plan) / 1000 + 1,
    (SELECT min(id) FROM generation_style), 1, 'auto', '{}', true, 0, 4001, true, count(*), 0, 0, 0,
    count(*) FILTER (WHERE state = 'done'), count(*) FILTER (WHERE state = 'error'),
    count(*) FILTER (WHERE state = 'cancelled'), min(at), max(at), max(at)
    FROM past GROUP BY batch
    """,
    """
    INSERT INTO generation_rungroup (id, batch_id, n_passed_over)
    SELECT DISTINCT batch, batch, 0 FROM past
    """,
    """
    INSERT INTO generation_planrun (id, batch_id, group_id, plan_id, position, state, wait_reason,
    progress_pct, params, seed, n_attempts, current_attempt_id, result_id, error_code,
    error_message, error_remedy, revision, created_at, started_at, finished_at, n_tries,
    tried_from)
    SELECT id, batch, batch, plan + 1, plan %% 1000, state, '',
    CASE state WHEN 'done' THEN 100 ELSE 0 END, '{}', '123456789012', 1,
    CASE WHEN state <> 'cancelled' THEN id END, CASE WHEN state = 'done' THEN id END,
    CASE state WHEN 'error' THEN 'node_error' ELSE '' END, '', '', 4 * (plan %% 1000) + 5,
    at, at, at, CASE state WHEN 'error' THEN 1 ELSE 0 END, 0 FROM past
    """,
    """
    INSERT INTO generation_attempt (id, run_id, server_id, number, prompt_id, lease_token, outcome,
    outcome_detail, is_left_behind, graph, seed, created_at, acknowledged_at, finished_at,
    failure_code, is_held_against, server_prompt_id)
    SELECT past.id, past.id, past.id %% %(servers)s + 1, 1, gen_random_uuid(), gen_random_uuid(),
    state, '', false, graph || jsonb_build_object('seed', past.id), '123456789012', at, at, at,
    CASE state WHEN 'error' THEN 'node_error' ELSE '' END, false, ''
    FROM past, generation_workflow WHERE state <> 'cancelled'
    """,
    """
    INSERT INTO generation_version (id, plan_id, task, number, extension, path, state, origin,
    staging_path, sha256, n_bytes, width_px, height_px, batch_id, run_id, attempt_id, revision,
    created_at, published_at)
    SELECT past.id, plan + 1, 'AI-concept', round, 'png', p.code || '/' || e.code || '/' || s.code
    || '/AI-concept/' || e.code || '_' || s.code || '-' || pl.code || '_AI-concept_v'
    || lpad(round::text, 4, '0') || '.png', 'published', 'render', '',
    encode(sha256(past.id::text::bytea), 'hex'), 1800000, 1920, 1080, batch, past.id, past.id,
    4 * (plan %% 1000) + 5, at, at
    FROM past JOIN generation_plan pl ON pl.id = plan + 1
    JOIN generation_sequence s ON s.id = pl.sequence_id
    JOIN generation_episode e ON e.id = s.episode_id
    JOIN generation_project p ON p.id = e.project_id WHERE past.state = 'done'
    """,
    """
    INSERT INTO generation_version (id, plan_id, task, number, extension, path, state, origin,
    staging_path, sha256, n_bytes, width_px, height_px, revision, created_at, published_at)
    SELECT %(runs)s + id, id, 'extracted-raw', 1, 'png', 'panels/' || id || '.png', 'published',
    'import', '', encode(sha256(('panel' || id)::bytea), 'hex'), 900000, 1920, 1080, 0, now(), now()
    FROM generation_plan
    """,
    """
    INSERT INTO generation_logentry (batch_id, run_id, at, level, event, data, revision)
    SELECT batch, id, at, CASE event WHEN 'failed' THEN 'error' ELSE 'info' END, event,
    jsonb_build_object('server', 'gpu-1', 'attempt', 1, 'seed', '123456789012'),
    4 * (plan %% 1000) + ordinal
    FROM past, unnest(CASE state WHEN 'done' THEN ARRAY['claimed', 'posted', 'published']
                      WHEN 'error' THEN ARRAY['claimed', 'posted', 'failed']
                      ELSE ARRAY['cancelled'] END) WITH ORDINALITY AS logged (event, ordinal)
    """,
)
_TABLES = (
    "project",
    "episode",
    "sequence",
    "plan",
    "workflow",
    "batch",
    "rungroup",
    "planrun",
    "attempt",
    "version",
    "logentry",
    "server",
)


def fill(url: str, n_runs: int) -> None:
    """Write the servers and so many finished runs into an empty database."""
    if n_runs % STEP:
        raise ValueError(f"The past is made of {STEP:,} runs at a time.")
    graph = (ROOT / "workflows" / "OmbresChinoises.json").read_text(encoding="utf-8")
    values = {
        "runs": n_runs,
        "plans": n_runs // ROUNDS,
        "episodes": n_runs // STEP,
        "servers": N_SERVERS,
        "graph": json.dumps(json.loads(graph)),
    }
    with psycopg.connect(url) as connection:
        # What refers to what is right by construction: the checks would take most of the time.
        connection.execute("SET session_replication_role = replica")
        for statement in (_SERVERS, *_PAST) if n_runs else (_SERVERS,):
            connection.execute(statement, values)
        for table in _TABLES:
            name = f"generation_{table}"
            highest = f"(SELECT coalesce(max(id), 0) + 1 FROM {name})"
            sequence = f"pg_get_serial_sequence('{name}', 'id')"
            connection.execute(f"SELECT setval({sequence}, {highest}, false)".encode())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def size_gib(url: str) -> float:
    """Return how big a database is on its disk."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return float(row[0]) / 2**30 if row else 0.0
