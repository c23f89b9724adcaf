"""What the page is made of: small drawings, colours that can be read, the answer on a telephone."""

import re
from io import StringIO
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import pytest

from mscpool.analysis.paper.report.answer import first_shown
from mscpool.analysis.paper.report.svg import inline

SVG = "{http://www.w3.org/2000/svg}"
DUBLIN_CORE = "{http://purl.org/dc/elements/1.1/}"


@pytest.fixture
def drawn():
    """Draw lines, translucent and opaque squares that overlap, and marks, as an SVG file."""
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0.123456, 0.2, 0.7], [0.3, 0.987654321, 0.4], "o-")
    for place in (0.1, 0.12, 0.14):
        axes.add_patch(plt.Rectangle((place, 0.2), 0.3, 0.3, color="#2373b6"))
        axes.add_patch(plt.Rectangle((place, 0.6), 0.3, 0.3, color="#2373b6", alpha=0.3))
    axes.set_title("a title")
    file = StringIO()
    figure.savefig(file, format="svg", metadata={"Description": "long", "Keywords": ["guard pass"]})
    plt.close(figure)
    return file.getvalue()


def shapes(svg):
    """List every shape with its numbers, and what is said of it and of the groups around it."""
    told = []

    def walk(element, around):
        own = around | {
            key: value
            for key, value in element.attrib.items()
            if key in ("clip-path", "transform") or key == "style"
        }
        if element.tag in (f"{SVG}path", f"{SVG}use"):
            said = [*element.attrib.get("d", "").split(), own.get("style", "")]
            told.append(
                (
                    [float(each) for each in re.findall(r"-?\d+\.?\d*", element.get("d", ""))],
                    [float(element.get(name, 0)) for name in ("x", "y")],
                    re.sub(r"\s", "", said[-1]),
                    "clip-path" in own,
                )
            )
        for child in element:
            walk(child, own)

    walk(ElementTree.fromstring(svg), {})
    return told


def test_a_drawing_on_the_page_draws_what_its_file_draws_in_fewer_letters(drawn):
    small = str(inline(drawn, "name"))
    before, after = shapes(drawn[drawn.index("<svg") :]), shapes(small)
    assert len(before) == len(after) > 10
    for (d, at, style, clipped), (d2, at2, style2, clipped2) in zip(before, after, strict=True):
        assert d2 == pytest.approx(d, abs=0.005001)
        assert at2 == pytest.approx(at, abs=0.005001)
        assert (style2, clipped2) == (style, clipped)
    assert len(small) < 0.8 * len(drawn)


def test_a_drawing_keeps_its_scales_and_has_identifiers_of_its_own(drawn):
    small = str(inline(drawn, "name"))
    scales = r"scale\([^)]*\)"
    assert re.findall(scales, small) == re.findall(scales, drawn)
    names = re.findall(r' id="([^"]*)"', small)
    assert len(names) == len(set(names))
    assert all(each.startswith("name-") for each in names)
    assert set(re.findall(r"#(name-[^)\"]+)", small)) == set(names)


def test_a_drawing_that_is_saved_from_the_page_still_carries_the_verdict(drawn):
    root = ElementTree.fromstring(str(inline(drawn, "name")))
    subjects = [each.text for each in root.iter() if each.text and each.text.startswith("guard")]
    assert subjects == ["guard pass"]
    assert root.find(f".//{DUBLIN_CORE}description") is None


def test_drawings_of_translucent_groups_are_left_as_they_are():
    alike = '<path d="M0 0" style="opacity:0.5"/>' * 2
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{alike}</svg>'
    assert str(inline(svg, "name")) == svg


@pytest.mark.parametrize(
    ("outcomes", "shown"),
    [
        (
            ["improvement", "remission", "any_ae", "moderate_severe_ae", "serious_ae", "death"],
            ["improvement", "remission", "moderate_severe_ae"],
        ),
        (["improvement", "serious_ae", "death"], ["improvement", "serious_ae", "death"]),
        (["moderate_severe_ae", "serious_ae"], ["moderate_severe_ae", "serious_ae"]),
        (["a", "b", "c", "d"], ["a", "b", "c"]),
        (["response"], ["response"]),
    ],
)
def test_a_telephone_first_shows_benefits_and_a_harm(outcomes, shown):
    assert first_shown(outcomes) == shown


def luminance(colour):
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_of_the_page_can_be_read_on_its_ground(scheme, root):
    style = (root / "analysis" / "paper" / "report" / "report.css").read_text("utf-8")
    block = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[scheme]
    colour = dict(re.findall(r"--(\w+): (#[0-9a-f]{3,6})", block))
    colour = {
        k: v if len(v) == 7 else "#" + "".join(c * 2 for c in v[1:]) for k, v in colour.items()
    }
    for text in ("ink", "soft", "link"):
        for ground in ("paper", "tint"):
            assert contrast(colour[text], colour[ground]) >= 4.5, (text, ground)
    for verdict in ("pass", "warn", "fail", "unchecked"):
        assert contrast("#ffffff", colour[verdict]) >= 4.5, verdict
