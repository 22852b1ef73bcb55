"""Rules stand once: a condition with a name is spelled in the models only; no predicate acts."""

import ast
import re

import pytest

from tests.architecture.sources import Module, calls, found, functions

#: Conditions of queries that have a name: the QuerySets of `generation.models` spell them.
NAMED = {
    "is_enabled=True": "Server.objects.enabled()",
    "server__is_enabled=True": "ServerDefinitions.objects.of_enabled()",
    "is_draining=False": "Server.objects.staying()",
    "set_aside_at=None": "Server.objects.set_aside()",
    "set_aside_code__in=STANDING_ASIDE": "Server.objects.standing_aside()",
    "outcome=AttemptOutcome.OPEN": "Attempt.objects.under_way()",
    "is_left_behind=True": "Attempt.objects.left_behind()",
    "state=VersionState.PUBLISHED": "Version.objects.published()",
    "state=VersionState.RESERVED": "Version.objects.reserved()",
    "review_state=ReviewState.TO_REVIEW": "Version.objects.to_review()",
    "review_state=ReviewState.APPROVED": "Version.objects.approved()",
    "review_state=ReviewState.RETAKE": "Version.objects.retakes()",
    "task=EXTRACTED_RAW": "Version.objects.panels()",
    "task=publication.PANEL": "Version.objects.panels()",
    "state=RunState.QUEUED": "PlanRun.objects.queued()",
    "state__in=UNFINISHED": "PlanRun.objects.unfinished()",
    "state__in=RETRYABLE": "PlanRun.objects.retryable()",
}
PREDICATE = re.compile(r"_?(is|has|was|can|may|must|should|does)_")
ANSWERS = ("bool", "TypeGuard", "TypeIs")
WRITING = {
    "append",
    "add",
    "update",
    "pop",
    "remove",
    "clear",
    "discard",
    "extend",
    "setdefault",
} | {
    "save",
    "delete",
    "create",
    "write",
    "set",
}
#: What takes its time, changes rows or asks somebody else: no predicate does any of it.
WIRE = re.compile(r"(client|transport)\b")
WAITING = {"sleep", "wait", "acquire", "flock", "poll", "waitpid", "join"}
ROWS = {
    "save",
    "update",
    "create",
    "get_or_create",
    "update_or_create",
    "bulk_create",
    "delete",
    "select_for_update",
    "refresh_from_db",
}
FILES = {
    "open",
    "stat",
    "lstat",
    "fstat",
    "is_dir",
    "is_file",
    "is_symlink",
    "readlink",
    "listdir",
    "iterdir",
    "scandir",
    "cmp",
    "read",
    "read_bytes",
    "read_text",
    "unlink",
    "mkdir",
    "rename",
    "link",
    "draft",
}
_DISK = "how something lies on the disk is the question, and one look answers it"
#: Predicates that ask the system all the same, and why they may.
MAY_ASK = {
    "generation.decoding.child_process.is_alive": "the poll of a child answers at once",
    "generation.runtime.cluster._is_descendant": "the kernel's table of processes is the question",
    "generation.safe_open._is_link": _DISK,
    "generation.storage.staging_cleanup._is_folder": _DISK,
    "generation.storage.volume_marks.is_empty": _DISK,
    "madsea.web.static_files._is_as_installed": "two files are compared, once for each process",
    "nomenclature.audit._is_stray_link": _DISK,
}


def test_a_condition_with_a_name_is_spelled_where_it_has_it() -> None:
    def spelled(module: Module) -> list[str]:
        if module.name.startswith("generation.models"):
            return []
        return [
            f"line {keyword.value.lineno}: {NAMED[ast.unparse(keyword)]}"
            for call in conditions(module)
            for keyword in call.keywords
            if ast.unparse(keyword) in NAMED
        ]

    assert found(spelled) == {}


def conditions(module: Module) -> list[ast.Call]:
    """Return the calls that choose rows: of a query's methods, and of `Q`."""
    of_q = [
        node
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Q"
    ]
    return [*calls(module, "filter", "exclude", "get"), *of_q]


def test_no_predicate_acts() -> None:
    def acting(module: Module) -> list[str]:
        named = [node for node in functions(module.tree) if PREDICATE.match(node.name)]
        return [node.name for node in named if not answers(node) or acts(node)]

    assert found(acting) == {}


def test_no_predicate_asks_a_server_waits_opens_a_file_or_writes_a_row() -> None:
    def asking(module: Module) -> list[str]:
        named = [node for node in functions(module.tree) if PREDICATE.match(node.name)]
        return [f"{module.name}.{node.name}" for node in named if asks(node)]

    assert {name for names in found(asking).values() for name in names} == set(MAY_ASK)


def asks(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function asks a server, waits, opens a file or writes a row."""
    called = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(
        WIRE.search(name) or name.rpartition(".")[2] in WAITING | ROWS | FILES for name in called
    )


def answers(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether the annotation of a function says that it answers yes or no."""
    returns = ast.unparse(function.returns) if function.returns else ""
    return any(word in returns for word in ANSWERS)


def acts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a function changes what is not its own."""
    return any(assigns(node) or writes(node) for node in ast.walk(function))


def assigns(node: ast.AST) -> bool:
    """Tell whether a statement changes an attribute or a member of something."""
    targets = node.targets if isinstance(node, ast.Assign) else []
    targets = [node.target] if isinstance(node, ast.AugAssign) else targets
    return any(isinstance(target, ast.Attribute | ast.Subscript) for target in targets)


def writes(node: ast.AST) -> bool:
    """Tell whether an expression calls a method that changes something of `self`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    of_self = isinstance(owner, ast.Attribute) and ast.unparse(owner.value) == "self"
    return node.func.attr in WRITING and of_self


@pytest.mark.parametrize(
    "body",
    [
        "def is_up(self) -> bool:\n    self.seen = True\n    return True",
        "def is_up(self) -> bool:\n    self.n += 1\n    return True",
        "def is_up(self) -> bool:\n    self.seen.add(1)\n    return True",
        "def is_up(self) -> bool:\n    known[1] = 2\n    return True",
    ],
)
def test_a_predicate_that_changes_something_is_seen(body: str) -> None:
    [function] = functions(ast.parse(body))

    assert acts(function)


def test_a_predicate_that_answers_something_else_is_seen() -> None:
    [function] = functions(ast.parse("def is_up() -> Q: ..."))

    assert not answers(function)


@pytest.mark.parametrize(
    "body",
    [
        "def is_up(self) -> bool:\n    return self._client.queue() is not None",
        "def is_up() -> bool:\n    return bool(self._poll.poll(1000))",
        "def is_up(row) -> bool:\n    row.refresh_from_db()\n    return row.is_up",
        "def is_up(file) -> bool:\n    return file.read_text() == 'up'",
        "def is_up(at) -> bool:\n    fcntl.flock(at, fcntl.LOCK_EX)\n    return True",
    ],
)
def test_a_predicate_that_asks_is_seen(body: str) -> None:
    [function] = functions(ast.parse(body))

    assert asks(function)
