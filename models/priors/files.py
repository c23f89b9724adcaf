"""Prior files: from TOML, or its tables, to a prior set, with what is wrong said by its place."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from .prior import Prior, finite_number, one_of
from .sets import Exnex, PriorSet


def parse(text: str, source: str, outcomes: tuple[str, ...] | None = None) -> PriorSet:
    """Read a prior file: see `PriorSet.from_toml`."""
    from .catalogue import CATALOGUE

    try:
        made = set_of({"name": source, **tomllib.loads(text)}, outcomes)
        if made.name in CATALOGUE and made != CATALOGUE[made.name]:
            raise ValueError(f"name: '{made.name}' is a set of the catalogue: give yours another")
        return made
    except tomllib.TOMLDecodeError as problem:
        raise ValueError(f"{source}: not TOML: {problem}") from None
    except RecursionError:
        raise ValueError(f"{source}: not a prior file: it nests too deeply") from None
    except ValueError as problem:
        raise ValueError(f"{source}: {problem}") from None


def set_of(table: Mapping[str, Any], outcomes: tuple[str, ...] | None = None) -> PriorSet:
    """Read the tables of a prior file: see `PriorSet.from_dict`."""
    known = ("name", "sentence", "reference", "doi", "mu", "tau", "sigma", "exnex", "outcome")
    for key in table:
        if key not in known:
            raise ValueError(one_of("table", key, known))
    priors = {p: _prior_at(table, p, f"[{p}]") for p in ("mu", "tau", "sigma") if p in table}
    overrides = []
    for outcome, tables in _mapping(table.get("outcome", {}), "[outcome]").items():
        if outcomes is not None and outcome not in outcomes:
            raise ValueError(f"[outcome.{outcome}]: " + one_of("outcome", outcome, outcomes))
        for parameter in _mapping(tables, f"[outcome.{outcome}]"):
            if parameter not in ("mu", "tau", "sigma"):
                wrong = one_of("parameter", parameter, ("mu", "tau", "sigma"))
                raise ValueError(f"[outcome.{outcome}]: {wrong}")
        overrides.append(
            (
                outcome,
                tuple((p, _prior_at(tables, p, f"[outcome.{outcome}.{p}]")) for p in tables),
            )
        )
    texts = {key: table.get(key, "") for key in ("name", "sentence", "reference", "doi")}
    for key, text in texts.items():
        if not isinstance(text, str):
            raise ValueError(f"{key} must be a text in quotes, not {text!r}")
    made = PriorSet(
        texts.pop("name") or "unnamed",
        **texts,
        mu=priors.get("mu"),
        tau=priors.get("tau"),
        sigma=priors.get("sigma"),
        exnex=_exnex_at(table["exnex"]) if "exnex" in table else None,
        overrides=tuple(overrides),
    )
    for outcome in ("", *(name for name, _ in overrides)):
        made.of(outcome)
    return made


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f'{where} must be a table such as {{dist = "HalfNormal", sigma = 1}}')
    return value


def _prior_at(table: Mapping[str, Any], key: str, where: str) -> Prior:
    try:
        return Prior.from_dict(_mapping(table[key], where))
    except ValueError as problem:
        text = str(problem)
        raise ValueError(text if text.startswith("[") else f"{where}: {text}") from None


def _exnex_at(table: Any) -> Exnex:
    table = dict(_mapping(table, "[exnex]"))
    for key in table:
        if key not in ("w", "mean", "sd"):
            raise ValueError("[exnex]: " + one_of("parameter", key, ("w", "mean", "sd")))
    if ("mean" in table) != ("sd" in table):
        raise ValueError("[exnex]: give both mean and sd, or neither (the prior of mu)")
    try:
        given = {
            key: finite_number("level", key, table[key]) for key in ("mean", "sd") if key in table
        }
        level = Prior.make("Normal", mu=given["mean"], sigma=given["sd"]) if given else None
        return Exnex(table.get("w", 0.5), level)
    except ValueError as problem:
        raise ValueError(f"[exnex]: {str(problem).removeprefix('exnex: ')}") from None
