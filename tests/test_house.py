"""The house: which rooms the code has, in what order, and what each room shows the others.

``ROOMS`` is the contract. A room is a folder of code. Data flows one way: a module imports from
its own room and from rooms that stand before it, and of those only the modules that they open. No
two modules import each other, straight or through others, and an import inside a function counts
like any other. The rest of this file reads the imports from the sources and holds the house to the
contract.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

import mscpool

#: The rooms, lowest first, each with the modules that other rooms may import.
ROOMS: dict[str, set[str]] = {
    "data": {
        "about",
        "cache",
        "controlled",
        "errors",
        "evidence",
        "export",
        "file_names",
        "folders",
        "means",
        "mistakes",
        "moderators",
        "names",
        "outcomes",
        "selection",
        "template",
        "text_files",
        "written",
    },
    "models": {"direction", "moderators", "outcomes", "pooling", "sources", "terms"},
    "models.priors": {
        "catalogue",
        "density",
        "elicit",
        "files",
        "meaning",
        "prior",
        "quantile_table",
        "sets",
    },
    "models.rates": {"beta_mixture", "difference", "effective_size", "fit", "prior"},
    "models.sampled": {"hierarchy", "textbook", "likelihood", "variables"},
    "models.exact": {
        "distribution",
        "draws",
        "further_trial",
        "hierarchy",
        "implied",
        "likelihood_table",
        "outcomes",
        "posterior",
        "predictions",
        "prior_scan",
        "stated",
        "unseen_study",
    },
    "models.effects": {
        "absolute",
        "belief",
        "conditional",
        "contrast",
        "priors",
        "standardised",
        "textbook",
    },
    "figures": {
        "benefit_harm",
        "borrowing",
        "bubbles",
        "calibration",
        "characteristics",
        "checks",
        "cumulative",
        "dark",
        "design_boundaries",
        "design_ess",
        "design_gain",
        "design_operating",
        "design_precision",
        "design_sets",
        "design_priors",
        "design_size",
        "design_stages",
        "effect_rates",
        "effects_forest",
        "evidence_map",
        "flip_map",
        "fonts",
        "forest",
        "intervals",
        "joint",
        "labbe",
        "later",
        "means",
        "page",
        "pooling",
        "power_scaling",
        "predictive",
        "prior_comparison",
        "prior_posterior",
        "rate_densities",
        "rates",
        "style",
        "uniformity",
    },
    "analysis.workers": {"workers"},
    "analysis.fitting": {
        "answer",
        "beside",
        "data_of_fit",
        "diagnostics",
        "exact_fit",
        "fit",
        "moderated",
        "predict",
        "progress",
        "ranking",
        "sampler",
        "sampling",
        "store",
        "summary",
        "tree",
    },
    "analysis.guard": {
        "check",
        "discrepancies",
        "disease_left",
        "identified",
        "importance",
        "later",
        "left_out_exactly",
        "measured",
        "monte_carlo",
        "result",
        "sampling_verdict",
        "shares",
        "surprise",
        "verdicts",
    },
    "analysis.sensitivity": {
        "borrowing",
        "compare",
        "compare_exactly",
        "cumulative",
        "flips",
        "power_scaling",
        "prior_map",
        "questions",
        "result",
        "store",
        "unseen",
    },
    "analysis.effects": {
        "effects",
        "guard",
        "model",
        "next_trial",
        "priors",
        "results",
        "since",
        "unseen",
    },
    "analysis.trial": {
        "arm_priors",
        "checks",
        "design",
        "effect_priors",
        "fit_priors",
        "pictures",
        "protocol",
        "request",
        "requests",
        "result",
        "set_priors",
        "two_arm_request",
    },
    "analysis.calibration": {
        "calibrate",
        "certificate",
        "error_rates",
        "faults",
        "own_data",
        "uniformity",
    },
    "analysis.paper.frames": {
        "benefit",
        "alone",
        "effect_figures",
        "effect_moderators",
        "effect_results",
        "effects",
        "guard",
        "later",
        "means",
        "moderators",
        "next_patients",
        "rates",
        "results",
        "sensitivity",
    },
    "analysis.paper.words": {
        "captions",
        "captions_cumulative",
        "captions_effect_moderators",
        "captions_effects",
        "captions_guard",
        "captions_later",
        "captions_means",
        "captions_moderators",
        "captions_next",
        "captions_sensitivity",
        "closing",
        "exhibit",
        "moderators",
        "table",
        "wording",
    },
    "analysis.paper.publish": {"design", "publish", "rendering"},
    "analysis.paper.plots": set(),
    "analysis.paper.report": {"figure_set", "findings", "report"},
    "analysis.explore": {"server"},
    "analysis.terminal": {"cli"},
}
#: Modules that a person starts.
STARTED = {"analysis.terminal.cli"}
#: What hands names out from any room, and stands above them all.
FACE = "mscpool"


@dataclass(frozen=True)
class Import:
    """One name that a module takes from another module of the project."""

    by: str
    module: str
    name: str


@pytest.fixture(scope="module")
def sources(root) -> dict[str, str]:
    """Source of every module, by dotted name; a package's ends with ``__init__``."""
    paths = [
        path
        for room in ("data", "models", "analysis", "figures")
        for path in (root / room).rglob("*.py")
    ]
    dotted = {".".join(path.relative_to(root).with_suffix("").parts): path for path in paths}
    return {name: dotted[name].read_text("utf-8") for name in sorted(dotted)}


def room_of(module: str) -> str:
    return module.rpartition(".")[0]


def imports(sources: Mapping[str, str]) -> list[Import]:
    """Read what modules take from each other, at the top or inside functions."""
    return [
        taken
        for module, source in sources.items()
        for node in ast.walk(ast.parse(source))
        for taken in _taken(module, node, sources)
    ]


def _taken(module: str, node: ast.AST, known: Mapping[str, str]) -> Iterator[Import]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name.split(".")[0] == FACE:
                yield _import(module, alias.name.partition(".")[2], "", known)
    elif isinstance(node, ast.ImportFrom):
        origin = _origin(module, node)
        for alias in node.names if origin is not None else ():
            yield _import(module, origin, alias.name, known)


def _origin(module: str, node: ast.ImportFrom) -> str | None:
    """Give the dotted name that an import starts from; None where it is a library's."""
    stated = (node.module or "").split(".") if node.module else []
    if node.level:
        return ".".join([*module.split(".")[: -node.level], *stated])
    return ".".join(stated[1:]) if stated[0] == FACE else None


def _import(by: str, origin: str, name: str, known: Mapping[str, str]) -> Import:
    whole = f"{origin}.{name}".strip(".")
    return Import(by, whole, "") if whole in known else Import(by, origin, name)


def unknown_rooms(sources: Mapping[str, str]) -> list[str]:
    """Name modules that stand in no room, and rooms and opened modules that do not exist."""
    wanted = {f"{room}.{module}" for room, opened in ROOMS.items() for module in opened}
    homeless = [
        module
        for module in sources
        if room_of(module) not in ROOMS and not module.endswith("__init__")
    ]
    return [*homeless, *sorted(wanted - sources.keys())]


def circles(sources: Mapping[str, str]) -> list[str]:
    """Name modules that import each other, straight or through others."""
    arrows: dict[str, set[str]] = {}
    for each in imports(sources):
        if each.by != each.module:
            arrows.setdefault(each.by, set()).add(each.module)
    reached = {module: _reached(module, arrows) for module in arrows}
    return [
        f"{module} and {other} import each other"
        for module, others in reached.items()
        for other in sorted(others)
        if module < other and module in reached.get(other, ())
    ]


def _reached(start: str, arrows: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for module in arrows.get(waiting.pop(), set()) - seen:
            seen.add(module)
            waiting.append(module)
    return seen


def upward_imports(sources: Mapping[str, str]) -> list[str]:
    """Name imports of a room by one that stands before it, and of the public face by any."""
    order = list(ROOMS)
    return [
        f"{each.by} imports {each.module or FACE}"
        for each in imports(sources)
        if room_of(each.by) in ROOMS
        if room_of(each.module) not in ROOMS
        or order.index(room_of(each.module)) > order.index(room_of(each.by))
    ]


def closed_doors(sources: Mapping[str, str]) -> list[str]:
    """Name imports of what another room keeps to itself: a module not opened, or a ``_name``."""
    return [
        f"{each.by} imports {each.name} of {each.module}"
        for each in imports(sources)
        if (room := room_of(each.module)) != room_of(each.by) and room in ROOMS
        if each.module.rpartition(".")[2] not in ROOMS[room] or each.name.startswith("_")
    ]


def importing_packages(sources: Mapping[str, str]) -> list[str]:
    """Name packages whose ``__init__`` imports anything."""
    return [
        module
        for module, source in sources.items()
        if module.endswith("__init__")
        if any(
            isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(ast.parse(source))
        )
    ]


def unused_doors(sources: Mapping[str, str]) -> list[str]:
    """Name modules that a room opens and nobody outside it imports."""
    used = {each.module for each in imports(sources) if room_of(each.module) != room_of(each.by)}
    return sorted({f"{room}.{name}" for room, opened in ROOMS.items() for name in opened} - used)


RULES = (unknown_rooms, circles, upward_imports, closed_doors, importing_packages)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_contract(rule, sources):
    assert not rule(sources)


def test_an_opened_module_is_used_outside_its_room(sources):
    face = mscpool._ROOM.items()
    public = {*(room for _, room in face), *(f"{room}.{name}" for name, room in face)}
    assert not set(unused_doors(sources)) - public - STARTED


#: A small sound house, in the rooms of the real one.
SOUND = {
    "data.__init__": "",
    "data.evidence": "import pandas",
    "models.terms": "from ..data.evidence import Evidence",
    "analysis.fitting.fit": "from ...models import terms\nfrom ...data.evidence import Evidence",
    "analysis.fitting.tree": "",
    "analysis.guard.check": "def f():\n    from ..fitting.fit import fit",
}


@pytest.mark.parametrize("rule", [circles, upward_imports, closed_doors, importing_packages])
def test_no_rule_finds_fault_with_a_sound_house(rule):
    assert not rule(SOUND)


PLANTED = {
    "a room that nobody listed": (unknown_rooms, {"analysis.annexe.oven": ""}),
    "an import against the order": (
        upward_imports,
        {"analysis.fitting.fit": "from ..guard.check import check"},
    ),
    "the same inside a function": (
        upward_imports,
        {"analysis.fitting.fit": "def f():\n    from ..guard import check"},
    ),
    "the same by its whole name": (
        upward_imports,
        {"data.evidence": "import mscpool.models.terms"},
    ),
    "the same for type checkers only": (
        upward_imports,
        {"data.evidence": "if TYPE_CHECKING:\n    from mscpool.models.terms import Terms"},
    ),
    "an import of the public face": (upward_imports, {"analysis.fitting.fit": "import mscpool"}),
    "a name of the public face": (
        upward_imports,
        {"analysis.fitting.fit": "from mscpool import rates"},
    ),
    "two files that import each other": (
        circles,
        {
            "analysis.fitting.fit": "from .tree import groups",
            "analysis.fitting.tree": "from .fit import fit",
        },
    ),
    "a circle through a function and a third file": (
        circles,
        {
            "analysis.fitting.fit": "from .tree import groups",
            "analysis.fitting.tree": "def f():\n    from .store import load",
            "analysis.fitting.store": "from . import fit",
        },
    ),
    "a module that its room keeps to itself": (
        closed_doors,
        {"analysis.guard.check": "from ..fitting.compiled_code import clear"},
    ),
    "a private name of an open module": (
        closed_doors,
        {"analysis.guard.check": "from ..fitting.fit import _refit"},
    ),
    "a package that imports": (importing_packages, {"data.__init__": "from .evidence import *"}),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_fault_is_found(fault):
    rule, change = PLANTED[fault]
    assert rule(SOUND | change)
