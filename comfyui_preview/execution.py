"""The execution of one prompt: its nodes in order, the cache, the messages, the outcome."""

from io import BytesIO
from typing import Any

from comfyui_preview import definitions, faulty_outputs, node_failures
from comfyui_preview.cache import CachedResult, Signatures
from comfyui_preview.execution_order import ExecutionOrder, is_link
from comfyui_preview.interrupts import Interrupted
from comfyui_preview.nodes.array_conversions import to_pillow
from comfyui_preview.nodes.output_nodes import save_ready_made
from comfyui_preview.nodes.registry import NODES, Context, Images, NodeUi, Steps
from comfyui_preview.pace import Pacer
from comfyui_preview.progress import PromptMessages
from comfyui_preview.queue import Graph, HistoryEntry, Item
from comfyui_preview.shared_state import Engine

SAMPLERS = ("KSampler", "KSamplerAdvanced")
PREVIEW_QUALITY = 80


class Execution:
    """One prompt's passage through the worker; `run` gives what its history will hold."""

    def __init__(self, engine: Engine, item: Item) -> None:
        self._engine = engine
        self._item = item
        _, self._prompt_id, self._graph, self._extra, self._wanted = item
        self._client_id: str | None = self._extra.get("client_id")
        self.progress = PromptMessages(
            engine.sockets,
            engine.faults,
            self._prompt_id,
            self._client_id,
            has_states=engine.options.is_since("chosen"),
        )
        self._executed: list[str] = []
        self._outputs: dict[str, Any] = {}
        self._results: dict[str, CachedResult] = {}
        self._pace = Pacer(engine.interrupts, engine.options.seconds_per_plan, samplers=0)
        _check_for_changes(engine, self._graph)
        self._signatures = Signatures(self._graph)

    def run(self) -> HistoryEntry:
        """Execute all nodes that the wanted outputs need.

        Raises Vanished when the server was told to forget everything meanwhile.
        """
        self.progress.note("execution_start")
        order = self._prepare()
        done = all(map(self._execute, order))
        if done:
            self.progress.note("execution_success")
        self._engine.current = (None, None)
        return {
            "prompt": self._item,
            "outputs": self._outputs,
            "status": {
                "status_str": "success" if done else "error",
                "completed": done,
                "messages": self.progress.messages,
            },
            "meta": {node_id: _meta(node_id) for node_id in self._outputs},
        }

    def outcome(self) -> str:
        """The last message that says how it ended, without its prefix."""
        return self.progress.messages[-1][0].removeprefix("execution_")

    def _prepare(self) -> ExecutionOrder:
        cache = self._engine.cache
        cache.keep_only(map(self._signatures.of, self._graph))
        cached = [node_id for node_id in self._graph if self._is_cached(node_id)]
        self.progress.note("execution_cached", nodes=cached)
        order = ExecutionOrder(self._graph, self._is_output, self._is_cached)
        for output_id in self._wanted:
            order.want(output_id)
        kinds = [self._graph[node_id]["class_type"] for node_id in order.planned()]
        self._pace.samplers = sum(kind in SAMPLERS for kind in kinds)
        return order

    def _is_cached(self, node_id: str) -> bool:
        return self._engine.cache.get(self._signatures.of(node_id)) is not None

    def _is_output(self, node_id: str) -> bool:
        kind = self._graph[node_id]["class_type"]
        return bool(self._engine.definitions[kind]["output_node"])

    def _execute(self, node_id: str) -> bool:
        """Execute one node; False when it failed or was interrupted, and the prompt ends."""
        signature = self._signatures.of(node_id)
        result = self._engine.cache.get(signature)
        is_cached = result is not None
        if result is None:
            try:
                result = self._compute(node_id)
            except Interrupted:
                about = {"node_id": node_id, "node_type": self._graph[node_id]["class_type"]}
                self.progress.note(
                    "execution_interrupted", broadcast=True, **about, executed=self._executed
                )
                return False
            except node_failures.NODE_FAILURES as error:
                about = node_failures.execution_error(error, self._graph, node_id, self._executed)
                self.progress.note("execution_error", **about)
                return False
            self._engine.cache.put(signature, result)
        self._keep(node_id, result, is_cached=is_cached)
        return True

    def _keep(self, node_id: str, result: CachedResult, *, is_cached: bool) -> None:
        self._results[node_id] = result
        self._executed.append(node_id)
        shown = faulty_outputs.told_output(
            self._engine, self._prompt_id, result.ui, is_cached=is_cached
        )
        if shown is not None:
            self._outputs[node_id] = shown
        self.progress.finish_node(node_id, shown)

    def _compute(self, node_id: str) -> CachedResult:
        engine, kind = self._engine, self._graph[node_id]["class_type"]
        self.progress.start_node(node_id)
        engine.current = (node_id, self._client_id)
        engine.interrupts.check()
        if engine.faults.take("nested_nodes", kind, self._prompt_id):
            self._executed.append(self.progress.nested(node_id))
        if engine.faults.take("blocked_branch", kind, self._prompt_id):
            self.progress.blocked(node_id, kind)
        node_failures.strike(engine.faults, kind, self._prompt_id)
        if fault := engine.faults.take("node_hang", kind, self._prompt_id):
            engine.interrupts.sleep_deaf(fault.seconds())
        given = self._call(node_id, kind)
        if not isinstance(given, NodeUi):
            return CachedResult(given)
        self._write_journal(node_id, kind, given)
        return CachedResult((), given.ui)

    def _call(self, node_id: str, kind: str) -> tuple[Any, ...] | NodeUi:
        inputs = self._inputs(node_id, kind)
        context = self._context(node_id)
        if self._engine.options.pre_encoded:
            return self._pretend(kind, context, inputs)
        node = NODES[kind]
        if node.wants_context:
            return node.function(context, **inputs)
        return node.function(**inputs)

    def _pretend(
        self, kind: str, context: Context, inputs: dict[str, Any]
    ) -> tuple[Any, ...] | NodeUi:
        """The steps and the saving of a prompt without its pictures."""
        if kind == "SaveImage":
            return save_ready_made(context, inputs["filename_prefix"])
        for step in range(1, inputs["steps"] + 1 if kind in SAMPLERS else 1):
            context.steps(step, inputs["steps"])
        return tuple(None for _ in self._engine.definitions[kind]["output"])

    def _inputs(self, node_id: str, kind: str) -> dict[str, Any]:
        known = definitions.inputs_of(self._engine.definitions[kind])
        given: dict[str, Any] = self._graph[node_id]["inputs"]
        return {name: self._value(value) for name, value in given.items() if name in known}

    def _value(self, value: Any) -> Any:
        if is_link(value):
            source = self._results.get(value[0])
            source = source or self._engine.cache.get(self._signatures.of(value[0]))
            return source.outputs[int(value[1])] if source else None
        return value["__value__"] if isinstance(value, dict) and "__value__" in value else value

    def _context(self, node_id: str) -> Context:
        return Context(
            folders=self._engine.folders,
            graph=self._graph,
            extra_pnginfo=self._extra.get("extra_pnginfo") or {},
            prompt_id=self._prompt_id,
            steps=self._stepper(node_id),
            shows_steps=self._engine.options.previews,
            finish=self._pace.finish,
        )

    def _stepper(self, node_id: str) -> Steps:
        kind = self._graph[node_id]["class_type"]

        def step(value: int, maximum: int, picture: Images | None = None) -> None:
            self._pace.step(value, maximum)
            self.progress.step(node_id, kind, value, maximum)
            if picture is not None:
                self.progress.preview(node_id, _jpeg(picture))

        return step

    def _write_journal(self, node_id: str, kind: str, shown: NodeUi) -> None:
        self._engine.journal.write(
            "executed",
            prompt_id=self._prompt_id,
            node=node_id,
            class_type=kind,
            filename_prefix=self._graph[node_id]["inputs"].get("filename_prefix", ""),
            files=shown.ui.get("images", []),
        )


def _check_for_changes(engine: Engine, graph: Graph) -> None:
    """Note the content hash of each loaded image, as a real server does, unless one is given."""
    for node in graph.values():
        if node["class_type"] in definitions.IMAGE_LOADERS and "is_changed" not in node:
            content_hash = engine.folders.content_hash((node.get("inputs") or {}).get("image"))
            if content_hash is not None:
                node["is_changed"] = [content_hash]


def _jpeg(picture: Images) -> bytes:
    buffer = BytesIO()
    to_pillow(picture[0]).save(buffer, "JPEG", quality=PREVIEW_QUALITY)
    return buffer.getvalue()


def _meta(node_id: str) -> dict[str, Any]:
    return {
        "node_id": node_id,
        "display_node": node_id,
        "parent_node": None,
        "real_node_id": node_id,
    }
