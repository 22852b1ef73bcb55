"""What is told of a picture, held against what a real server executed: its history, its files."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from lab.real import workflow_shapes
from lab.real.comfyui_server import Comfy
from lab.real.end_facts import Fact
from lab.real.frontend import ENDS_WITHIN_S, Frontend, Made
from lab.real.graphs import Graph
from lab.real.workflow_shapes import Shape
from tests.processes import Site, wait_for

STARTS_WITHIN_S = 120
#: Pictures of each plan, each with a seed of its own.
VARIATIONS = 2
_SEEDS = frozenset({"seed", "noise_seed"})
_SAMPLERS = frozenset({"KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced"})
_UP = "SELECT count(*) FROM generation_server WHERE health = 'up'"
_READ = "SELECT count(*) FROM generation_serverdefinitions"


@dataclass
class Rendered:
    """A shape as it was given and rendered: what is told of its workflow, and what it has made."""

    shape: Shape
    told: Mapping[str, Any]
    made: list[Made] = field(default_factory=list)


class Proof:
    """One real server and one site; each method yields facts, and the later build on the first."""

    def __init__(self, site: Site, comfy: Comfy, frontend: Frontend) -> None:
        self._site, self._comfy, self._frontend = site, comfy, frontend
        self._rendered: list[Rendered] = []
        self._n_plans = 0

    def all(self) -> Iterator[Fact]:
        """Yield every fact: the shapes one after the other, then the pictures made again."""
        wait_for(lambda: self._site.value(_READ) == 1, STARTS_WITHIN_S, "the server's definitions")
        for shape in filter(self._is_known, workflow_shapes.shapes()):
            yield from self._given_and_rendered(shape)
        yield from self._document()
        yield from self._picture_of_the_server()
        yield self._own_picture()
        yield from self._made_again()

    def _is_known(self, shape: Shape) -> bool:
        """Tell whether the server has what only newer ones have."""
        return all(self._comfy.has(class_type) for class_type in shape.classes)

    def _plan(self) -> str:
        self._n_plans += 1
        return f"{10 * self._n_plans:04d}"

    # Each shape ----------------------------------------------------------------------------------

    def _given_and_rendered(self, shape: Shape) -> Iterator[Fact]:
        told = self._frontend.give(shape.workflow, shape.content)
        plan = self._plan()
        if shape.asks:
            yield self._asked_first(shape, told, plan)
            told = self._frontend.answer(shape.workflow, dict([shape.asks]))
        batch_id = self._frontend.ask(plan, shape.workflow, dict(shape.params), VARIATIONS)
        done = Rendered(shape, told, self._frontend.finish(batch_id))
        self._rendered.append(done)
        yield self._told_truly(done)
        yield self._files(done)
        yield self._seeds(done)

    def _asked_first(self, shape: Shape, told: Mapping[str, Any], plan: str) -> Fact:
        question, answer = shape.asks or ("", "")
        asked = [each["code"] for each in told["questions"]]
        refused = self._frontend.refusal(shape.workflow, plan)
        wrong = [f"it asks {asked}"] * (asked != [question])
        wrong += [f"a request is answered {refused!r}"] * (refused != f"open_{question}")
        said = f"a request is refused with {refused}; the answer is node {answer}"
        return Fact(f"{shape.name}: asked before it is run", said, wrong)

    def _told_truly(self, done: Rendered) -> Fact:
        """Hold every value that is told against the graph in the server's own history."""
        expected = VARIATIONS * done.shape.images
        wrong = [f"{len(done.made)} versions, not {expected}"] * (len(done.made) != expected)
        targets = {each["name"]: each["targets"] for each in done.told["parameters"]}
        for name, inputs in done.shape.reached.items():
            missed = sorted(set(inputs) - set(targets.get(name, ())))
            wrong += [f"{name} does not reach {missed}"] * bool(missed)
        for made in done.made:
            recipe, executed = self._frontend.recipe(made.pk), self._executed(made)
            wrong += [f"{made.path}: {words}" for words in _untrue(recipe, executed, targets)]
            wrong += [*_not_as_asked(recipe, done.shape), *_not_executed(executed, done.shape)]
        said = f"{len(done.made)} versions, {len(targets)} parameters as in /history"
        return Fact(f"{done.shape.name}: what is told was rendered", said, wrong)

    def _executed(self, made: Made) -> Graph:
        prompt: Graph = self._comfy.entry(made.prompt_id)["prompt"][2]
        return plain(prompt)

    def _files(self, done: Rendered) -> Fact:
        """Hold each file against what the server gives of it; those of a prompt in their order."""
        wrong = []
        by_prompt: dict[str, list[Made]] = {}
        for made in done.made:
            by_prompt.setdefault(made.prompt_id, []).append(made)
        for prompt_id, of in by_prompt.items():
            images = list(self._images(prompt_id))
            if len(images) != len(of):
                wrong.append(f"{len(images)} pictures on the server, {len(of)} versions")
            for made, image in zip(of, images, strict=False):
                same = self._frontend.content(made) == image and _sha256(image) == made.sha256
                wrong += [f"{made.path} is not what /view gives"] * (not same)
        # Whichever variation ends first has the first numbers.
        numbers = sorted(made.number for made in done.made)
        wrong += [f"the versions are {numbers}"] * (numbers != [*range(1, len(numbers) + 1)])
        said = f"{len(by_prompt)} prompts, {len(numbers)} files, byte for byte what /view gives"
        return Fact(f"{done.shape.name}: every picture is published", said, wrong)

    def _images(self, prompt_id: str) -> Iterator[bytes]:
        outputs = self._comfy.entry(prompt_id)["outputs"].values()
        for image in chain.from_iterable(output.get("images", ()) for output in outputs):
            if image["type"] == "output":
                yield self._comfy.view(image)

    def _seeds(self, done: Rendered) -> Fact:
        seeds = {self._frontend.recipe(made.pk)["seed"] for made in done.made}
        pictures = {made.pixels_sha256 for made in done.made}
        wrong = [f"the seeds are {seeds}"] * (len(seeds) != VARIATIONS)
        wrong += ["two pictures are the same"] * (len(pictures) != len(done.made))
        said = f"{len(seeds)} seeds, {len(pictures)} different pictures"
        return Fact(f"{done.shape.name}: the seed decides", said, wrong)

    # Files that carry a workflow -----------------------------------------------------------------

    def _document(self) -> Iterator[Fact]:
        """Hold the conversion of the editor's document against what ComfyUI's page exports."""
        (done,) = (
            each for each in self._rendered if each.shape.content == _read(workflow_shapes.DOCUMENT)
        )
        converted = self._frontend.graph(done.shape.workflow)
        exported: Graph = json.loads(_read(workflow_shapes.EXPORT))
        wrong = ["it is another graph"] * (plain(converted) != plain(exported))
        said = f"{len(converted)} nodes, as ComfyUI's page exports it"
        yield Fact("editor's document: converted by this server's definitions", said, wrong)

    def _picture_of_the_server(self) -> Iterator[Fact]:
        """Give a picture that the server wrote for somebody else, as its page has it queued."""
        posted = workflow_shapes.graph("c04b_sampler_custom")
        document = json.loads(_read(workflow_shapes.DOCUMENT))
        prompt_id = self._comfy.post(posted, "somebody", document)
        wait_for(lambda: self._comfy.history(1).get(prompt_id), ENDS_WITHIN_S, "their picture")
        (picture,) = self._images(prompt_id)
        told = self._frontend.give("ComfyUI_00001_.png", picture)
        read = self._frontend.graph(told["workflow_json"])
        wrong = ["it is another graph"] * (plain(read) != plain(posted))
        said = f"{len(read)} nodes, those that were executed"
        yield Fact("a PNG of the server: its workflow is read from it", said, wrong)
        shape = Shape("a PNG of the server", picture, {"steps": 4}, {"seed": ["3.noise_seed"]})
        batch_id = self._frontend.ask(self._plan(), told["workflow_json"], {"steps": 4}, VARIATIONS)
        done = Rendered(shape, told, self._frontend.finish(batch_id))
        self._rendered.append(done)
        yield self._told_truly(done)
        yield self._files(done)
        yield self._seeds(done)

    def _own_picture(self) -> Fact:
        """Give a picture that Madsea rendered: its panel and files get their names back."""
        done = self._rendered[0]
        made = done.made[0]
        told = self._frontend.give("E202_rendered.png", self._frontend.content(made))
        given, read = (
            self._frontend.graph(name) for name in (done.shape.workflow, told["workflow_json"])
        )
        kept = {"filename_prefix", "image"}
        wrong = [
            f"{name} of node {node_id} is {read[node_id]['inputs'].get(name)!r}"
            for node_id, node in given.items()
            for name in kept & node["inputs"].keys()
            if read[node_id]["inputs"].get(name) != node["inputs"][name]
        ]
        seed = self._frontend.recipe(made.pk)["seed"]
        read_seed = str(read["3"]["inputs"]["seed"])
        wrong += [f"its seed is {read_seed}, not {seed}"] * (read_seed != seed)
        said = f"names as in the workflow's file, seed {seed} as rendered"
        return Fact("a PNG that Madsea rendered: given back as a workflow", said, wrong)

    # Made again ----------------------------------------------------------------------------------

    def _made_again(self) -> Iterator[Fact]:
        """Make one picture of each shape again, after a restart: the server remembers nothing."""
        recipes = {
            done.shape.name: self._frontend.recipe(done.made[0].pk) for done in self._rendered
        }
        self._comfy.kill()
        self._comfy.start()
        wait_for(self._comfy.version, STARTS_WITHIN_S, self._comfy.url)
        wait_for(lambda: self._site.value(_UP) == 1, STARTS_WITHIN_S, "the server's return")
        asked = {done.shape.name: self._frontend.rerun(done.made[0].pk) for done in self._rendered}
        for done in self._rendered:
            name = done.shape.name
            yield self._made_like(done, recipes[name], self._frontend.finish(asked[name]))

    def _made_like(self, done: Rendered, recipe: Mapping[str, Any], again: list[Made]) -> Fact:
        before = done.made[: done.shape.images]
        same = [made.pixels_sha256 for made in again] == [made.pixels_sha256 for made in before]
        wrong = ["its pixels are others"] * (not same)
        if again:
            executed = self._executed(again[0])
            wrong += ["it is another graph"] * (
                _but_prefix(executed) != _but_prefix(plain(recipe["graph"]))
            )
            cached = set(self._cached(again[0].prompt_id))
            sampled = [k for k, node in executed.items() if node["class_type"] in _SAMPLERS]
            wrong += [f"node {k} was not executed" for k in sampled if k in cached]
        said = f"{len(again)} pictures, computed anew after a restart"
        return Fact(f"{done.shape.name}: made again, pixel for pixel the same", said, wrong)

    def _cached(self, prompt_id: str) -> Iterator[str]:
        for kind, said in self._comfy.entry(prompt_id)["status"]["messages"]:
            if kind == "execution_cached":
                yield from said["nodes"]


def _untrue(
    recipe: Mapping[str, Any], executed: Graph, targets: Mapping[str, list[str]]
) -> Iterator[str]:
    """Yield each value that is told otherwise than it was executed."""
    if plain(recipe["graph"]) != executed:
        yield "the recipe's graph is not the one in /history"
    told = {name: each["value"] for name, each in recipe["parameters"].items()}
    for name, value in told.items():
        for node_id, held in (target.split(".", 1) for target in targets.get(name, ())):
            found = executed[node_id]["inputs"].get(held)
            if found != value:
                yield f"{name} is told as {value!r}, {node_id}.{held} was {found!r}"
    for node_id, node in executed.items():
        for held in _SEEDS & node["inputs"].keys():
            if str(node["inputs"][held]) != recipe["seed"]:
                yield f"{node_id}.{held} was {node['inputs'][held]}, told is {recipe['seed']}"


def _not_as_asked(recipe: Mapping[str, Any], shape: Shape) -> Iterator[str]:
    for name, value in shape.params.items():
        told = recipe["parameters"].get(name)
        if told != {"value": value, "source": "request"}:
            yield f"{name} was asked for as {value!r}, and is told as {told}"


def _not_executed(executed: Graph, shape: Shape) -> Iterator[str]:
    for target, value in shape.executed.items():
        node_id, held = target.split(".", 1)
        found = executed[node_id]["inputs"].get(held)
        if found != value:
            yield f"{target} was {found!r}, not {value!r}"


def plain(graph: Graph) -> Graph:
    """Return a graph as classes and inputs: without titles, and what a server notes in it."""
    return {
        node_id: {"class_type": node["class_type"], "inputs": node["inputs"]}
        for node_id, node in graph.items()
    }


def _but_prefix(graph: Graph) -> Graph:
    return {
        node_id: {
            **node,
            "inputs": {k: v for k, v in node["inputs"].items() if k != "filename_prefix"},
        }
        for node_id, node in graph.items()
    }


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(path: Any) -> bytes:
    content: bytes = path.read_bytes()
    return content
