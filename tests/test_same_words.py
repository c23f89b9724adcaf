"""The command line and the docstrings say what a parameter is in the same words."""

import re

import typer
from numpydoc.docscrape import NumpyDocString

import mscpool as mp
from mscpool.analysis.terminal.cli import app
from mscpool.data.selection import Selection

FUNCTIONS = {
    "fit": mp.fit,
    "effects": mp.effects,
    "priors": mp.compare_priors,
    "explore": mp.explore,
    "figures": mp.publish,
    "report": mp.report,
}
#: Of the shell a file of data, in Python where the result is kept.
ANOTHER = {"path"}


def described(documented):
    """Give what a docstring says of each parameter."""
    read = NumpyDocString(documented.__doc__)
    texts = {
        name: " ".join(" ".join(entry.desc).replace("`", "").split())
        for entry in (*read["Parameters"], *read["Attributes"])
        for name in entry.name.split(", ")
    }
    alike = {name for name, text in texts.items() if text.startswith("As in single_arm")}
    return texts | {name: described(mp.design.single_arm)[name] for name in alike}


def clauses(told):
    """Split a help text into its clauses, without defaults and the designs that one is about."""
    parts = re.split(r"[.;:()](?:\s|$)|\s\(", told.replace("--", ""))
    return [re.sub(r"^in [a-z, -]+? the ", "the ", part.strip().lower()) for part in parts if part]


def pairs():
    commands = typer.main.get_command(app).commands
    for name, function in FUNCTIONS.items():
        yield name, commands[name], described(Selection) | described(function)
    for name, command in commands["design"].commands.items():
        function = getattr(mp.design, name.replace("-", "_"))
        yield f"design {name}", command, described(function)


def shared():
    for name, command, texts in pairs():
        for option in command.params:
            for parameter in (option.name, f"{option.name}s"):
                if parameter in texts and parameter not in ANOTHER:
                    yield name, parameter, option.help, texts[parameter]


def test_options_and_parameters_have_the_same_words():
    found = list(shared())
    assert len(found) > 100
    assert not [
        (command, parameter, told, written)
        for command, parameter, told, written in found
        if not any(clause in written.lower() for clause in clauses(told))
    ]
