"""A walk over the page without a browser, its numbers held against the engine asked directly."""

import asyncio
import contextlib
import re
import socket
from functools import cache

import pytest

import mscpool as mp
from mscpool.analysis.explore.state import State, read_state
from mscpool.data.evidence import load_evidence
from mscpool.models.exact.outcomes import exact_model
from mscpool.models.priors.prior import Prior

from .client import Reader, Server

#: Half a unit of the last digit shown, and the numerical error of each engine.
SHOWN = 0.5e-4 + 2e-4

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server():
    with contextlib.ExitStack() as stack:
        # The port is taken: the next one must be served at, and said.
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        started = Server("--port", str(taken.getsockname()[1]))
        stack.callback(started.end)
        yield started


#: A table of a reader's own, so small that what follows from it follows at once.
OWN = """study,disease,outcome,events,n,months
a,psoriasis,improvement,5,10,
b,psoriasis,improvement,7,12,
c,eczema,improvement,8,11,
d,eczema,improvement,4,9,
a,psoriasis,death,0,10,12
c,eczema,death,1,11,6
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("own") / "mine.csv"
    path.write_text(OWN, "utf-8")
    return str(path)


@cache
def model(path: str | None, outcome: str, pooling: str, drop: tuple[str, ...]):
    return exact_model(load_evidence(path, outcomes=outcome, drop=drop), pooling)


@cache
def direct(query: str, disease: str, path: str | None = None) -> float:
    """Probability of the conclusion, by the engine asked directly."""
    state = read_state(query, State())
    exact = model(path, state.outcome, state.pooling, state.drop)
    # That moved priors need no finer grid is the matter of the answers' own tests.
    fit = exact.fit(state.priors, verify=not state.own)
    above = float(fit.probability_above(state.outcome, state.threshold)[disease])
    return 1 - above if state.outcome in ("any_ae", "serious_ae", "death") else above


#: A page that looks for flips of mu alone: the map of two priors is drawn elsewhere.
APART = "pooling=none"


def walk(server, query, steps):
    """Open a page, and do what is given with its reader."""

    async def run():
        async with Reader(server, query) as reader:
            await steps(reader)
            assert not reader.errors

    asyncio.run(run())


def shown_probability(reader) -> float:
    row = reader.row("psoriasis")
    return float(row.split("|")[2]) if row else float("nan")


async def agrees(reader, query: str, path: str | None = None) -> None:
    """Wait until the page's number is the engine's."""
    wanted = direct(query, "psoriasis", path)
    await reader.until(lambda: abs(shown_probability(reader) - wanted) < SHOWN)
    state = read_state(query, State())
    await reader.until(lambda: read_state(reader.address, State()) == state)


def test_a_taken_port_is_said(server):
    assert re.fullmatch(r"Port \d+ is taken: serving at \d+\.", server.said[0])


def moves():
    """Give twenty moves of controls, and the state that each makes."""
    mu, sd = "mu_Normal_mu:shiny.number", "mu_Normal_sigma:shiny.number"
    for place in (-0.5, -1, -1.5, -2, -2.5):
        yield {mu: place}, f"mu=Normal({place},1.5)"
    for spread in (1, 0.75, 0.5):
        yield {sd: spread}, f"mu=Normal(-2.5,{spread})"
    tau, sigma = "tau_HalfNormal_sigma:shiny.number", "sigma_HalfNormal_sigma:shiny.number"
    for scale in (0.5, 0.25, 2):
        yield {tau: scale}, f"mu=Normal(-2.5,0.5)&tau=HalfNormal({scale})"
    for scale in (0.25, 1):
        yield {sigma: scale}, f"mu=Normal(-2.5,0.5)&tau=HalfNormal(2)&sigma=HalfNormal({scale})"
    rest = "mu=Normal(-2.5,0.5)&sigma=HalfNormal(1)&tau=Exponential"
    yield {"tau_dist": "Exponential"}, f"{rest}(1)"
    yield {"tau_Exponential_lam:shiny.number": 2.5}, f"{rest}(2.5)"
    yield {"threshold:shiny.number": 45}, f"{rest}(2.5)&threshold=0.45"
    yield {"pooling": "none"}, f"{rest}(2.5)&threshold=0.45&pooling=none"
    yield {"pooling": "partial", "reset:shiny.action": 1}, "threshold=0.45"
    yield {"base": "sceptical"}, "threshold=0.45&base=sceptical"
    yield {"outcome": "death"}, "outcome=death&base=sceptical&null=0.1&target=0.05"


def test_a_wrong_prior_is_told_beside_its_field_and_the_rest_goes_on(server):
    async def steps(reader):
        await reader.set(**{"mu_Normal_sigma:shiny.number": -1})
        await reader.until(lambda: "sigma must be positive" in reader.text("mu_problem"))
        await reader.set(**{"sigma_HalfNormal_sigma:shiny.number": 0.25})
        await agrees(reader, f"{APART}&sigma=HalfNormal(0.25)")
        await reader.set(**{"mu_Normal_sigma:shiny.number": None})
        await reader.until(lambda: "a number is missing" in reader.text("mu_problem"))

    walk(server, APART, steps)


def test_the_prior_that_undoes_the_conclusion_is_found_and_taken_home(server):
    async def steps(reader):
        await reader.until(lambda: "Take the nearest for psoriasis" in reader.text("flips"))
        assert "yes, above" in reader.row("psoriasis")
        await reader.set(nearest_0=1)
        await reader.until(lambda: "not shown above (changed)" in reader.row("psoriasis"))
        await reader.until(lambda: "explored.toml" in reader.text("command"))
        assert "mscpool priors --outcome improvement" in reader.text("command")
        status, headers, text = reader.download("prior_toml")
        assert (status, 'filename="explored.toml"' in headers["content-disposition"]) == (200, True)
        assert "[outcome.improvement.mu]" in text
        assert reader.download("table_csv")[2].startswith("outcome,disease,quantity,mean")

    walk(server, "", steps)


def test_a_belief_about_a_rate_becomes_a_prior(server):
    async def steps(reader):
        low, high = "elicit_low:shiny.number", "elicit_high:shiny.number"
        await reader.set(**{low: 10, high: 5, "elicit": 1})
        await reader.until(lambda: "0 < lower < upper < 1" in reader.text("elicit_problem"))
        await reader.set(**{low: 10, high: 30, "elicit": 2})
        # Half the width of the interval of log-odds, over the normal quantile of 95 %.
        await agrees(reader, f"{APART}&mu=Normal(-1.522,0.41)")

    walk(server, APART, steps)


def test_a_study_is_switched_off_and_a_link_restores_that(server):
    studies = load_evidence(outcomes="improvement").rows["study"].unique().tolist()

    async def steps(reader):
        await reader.until(lambda: "Cheng 2022" in reader.text("study_table"))
        await reader.set(studies=studies)
        await reader.set(studies=[name for name in studies if name != "cheng2022"])
        await reader.until(lambda: "drop=cheng2022" in reader.address)
        await reader.until(lambda: "Forest plot of improvement" in reader.text("forest"))
        await reader.until(lambda: "--drop cheng2022" in reader.text("command"))
        links.append(reader.address)

    async def again(reader):
        await agrees(reader, "drop=cheng2022")
        assert not re.search(r'checked[^>]*value="cheng2022"', reader.outputs["study_table"])

    links: list[str] = []
    walk(server, "view=evidence", steps)
    walk(server, links[0].replace("view=evidence&", ""), again)


def test_what_only_the_sampler_can_fit_says_so(server):
    async def steps(reader):
        await reader.until(lambda: "cannot be integrated exactly" in reader.text("densities"))
        assert "Guard: unchecked" in reader.text("verdict")

    walk(server, "outcome=remission", steps)


def test_the_next_trial_is_that_of_the_designer_asked_directly(server):
    async def steps(reader):
        await reader.until(lambda: "Recommended" in reader.text("recommended"))
        said.append(int(re.findall(r"Recommended: (\d+) patients", reader.text("recommended"))[0]))
        assert f"The recommended number is {said[0]} patients" in reader.text("paragraph")
        assert "design single-arm --design-prior new-study" in reader.text("command")
        await reader.set(**{"null:shiny.number": 20})
        await reader.until(lambda: f"Recommended: {said[0]} " not in reader.text("recommended"))

    said: list[int] = []
    walk(server, "view=trial", steps)
    fit = mp.fit(mp.load_evidence(outcomes="improvement"), engine="exact", draws=10, chains=1)
    direct = mp.design.single_arm(
        fit=fit, disease="psoriasis", design_prior="new-study", null=0.3, target=0.5,
        level=0.95, assurance=0.8,
    )  # fmt: skip
    assert said[0] == direct.answer.recommended_n


def test_a_trial_of_two_arms_is_sized_by_effects(server):
    async def steps(reader):
        await reader.until(lambda: "randomised two-arm trial" in reader.text("paragraph"))
        assert "mscpool effects --set current" in reader.text("command")
        said.append(reader.text("paragraph"))

    said: list[str] = []
    walk(server, "view=trial&design=two-arm&analysis_set=current&disease=atopic_dermatitis", steps)
    evidence = mp.load_evidence(outcomes="improvement", analysis_set="current")
    direct = mp.design.two_arm(
        fit=mp.effects(evidence), disease="atopic_dermatitis", outcome="improvement", margin=0.0,
        effect_prior="new-study", design_prior_control="new-study", level=0.95, assurance=0.8,
    )  # fmt: skip
    assert " ".join(direct.paragraph.split()) == " ".join(said[0].split())


def test_effects_are_those_of_the_engine_asked_directly(server):
    async def steps(reader):
        await reader.until(lambda: "Guard of effects" in reader.text("effects_verdict"))
        said.append(reader.text("effects_table"))

    said: list[str] = []
    walk(server, "view=effects&analysis_set=current", steps)
    evidence = mp.load_evidence(outcomes="improvement", analysis_set="current")
    table = mp.contrasts(mp.effects(evidence, check=False))
    own = table[(table["quantity"] == "effect") & (table["outcome"] == "improvement")]
    for benefit in own["probability_benefit"]:
        assert f"{benefit:.3f}" in said[0]


@pytest.mark.slow
def test_what_cannot_be_integrated_is_sampled_and_can_be_left(server):
    async def steps(reader):
        await reader.until(lambda: "Sample it" in reader.text("sampling"))
        await reader.set(**{"sample:shiny.action": 1})
        await reader.until(lambda: "Cancel" in reader.text("sampling"))
        await reader.set(**{"leave:shiny.action": 1})
        await reader.until(lambda: "Sample it" in reader.text("sampling"))
        await reader.set(**{"sample:shiny.action": 2})
        await reader.until(lambda: "Sampled, not integrated" in reader.text("sampling"), 400)
        assert "Forest plot of remission" in reader.text("sampling")

    walk(server, "outcome=remission", steps)


def test_an_address_that_holds_no_state_is_told(server):
    status, _, html = server.ask("/?pooling=parital", Cookie=server.cookie)
    assert status == 200
    assert "did you mean partial?" in html


def upload(reader, content: bytes, name: str = "mine.csv", control: str = "upload"):
    """Send a file as the browser does; give the answer to its body."""

    async def run():
        file = [{"name": name, "size": len(content), "type": "text/plain"}]
        job = await reader.call("uploadInit", file)
        target = "/" + job["uploadUrl"]
        origin = f"http://{reader.server.host}"
        headers = {"Cookie": reader.server.cookie, "Origin": origin}
        sent = await asyncio.to_thread(reader.server.ask, target, "POST", content, **headers)
        if sent[0] == 200:
            await reader.call("uploadEnd", job["jobId"], control)
        return sent[0]

    return run()


def test_a_prior_file_comes_back_and_its_faults_are_told_beside_the_field(server):
    mu = Prior.make("Normal", mu=-2.5, sigma=0.5)
    taken = State(pooling="none", own=(("mu", mu),))

    async def steps(reader):
        await reader.until(lambda: reader.row("psoriasis"))
        wrong = taken.prior_text.replace("sigma = 0.5", "sigma = -0.5", 1)
        await upload(reader, wrong.encode(), "mine.toml", "prior_upload")
        await reader.until(lambda: "mine.toml: " in reader.text("prior_file_said"))
        assert "sigma must be positive" in reader.text("prior_file_said")
        assert 'role="alert"' in reader.outputs["prior_file_said"]
        await upload(reader, taken.prior_text.encode(), "mine.toml", "prior_upload")
        await agrees(reader, taken.query)
        assert "the priors of improvement in mine.toml" in reader.text("prior_file_said")
        pasted = {"prior_pasted": "[mu]\ndist = 'HalfNormal'\nsigma = 2\n"}
        await reader.set(**pasted, **{"prior_take:shiny.action": 1})
        await reader.until(lambda: "mu=HalfNormal%282.0%29" in reader.address)
        pasted = {"prior_pasted": "[moderator]\ndist = 'Normal'\nmu = 0\nsigma = 2\n"}
        await reader.set(**pasted, **{"prior_take:shiny.action": 2})
        await reader.until(lambda: "moderators is not used" in reader.text("prior_file_said"))

    walk(server, APART, steps)


def test_two_readers_are_apart(server):
    async def run():
        async with Reader(server, APART) as one, Reader(server, APART) as other:
            await one.set(**{"mu_Normal_mu:shiny.number": -2.5})
            await other.set(**{"threshold:shiny.number": 45})
            await agrees(one, f"{APART}&mu=Normal(-2.5,1.5)")
            await agrees(other, f"{APART}&threshold=0.45")

    asyncio.run(run())


def test_an_upload_beyond_five_megabytes_is_refused(server):
    async def steps(reader):
        assert await upload(reader, bytes(5 * 2**20 + 1)) == 413

    walk(server, "", steps)


def test_the_key_is_needed_for_page_and_files(server):
    assert server.ask("/")[0] == 403
    assert server.ask("/own/page.js")[0] == 403
    assert server.ask("/", Cookie=server.cookie, Host="evil.example")[0] == 400


def test_twenty_moves_on_a_readers_own_table_show_the_numbers_of_the_engine(server, own):
    queries = [query for _, query in moves()]
    assert len(queries) == 20
    for query in queries:  # known before, so that moves follow each other as a reader's do
        direct(query, "psoriasis", own)

    async def steps(reader):
        assert await upload(reader, OWN.replace("5,10", "50,10").encode()) == 200
        await reader.until(lambda: "mine.csv:2: events" in reader.text("upload_problem"))
        assert "/tmp" not in reader.text("upload_problem")
        assert await upload(reader, OWN.encode()) == 200
        await reader.until(lambda: "mine.csv" in reader.text("command"))
        await reader.until(lambda: reader.row("eczema"))
        assert not reader.text("upload_problem").strip()
        for change, query in moves():
            await reader.set(**change)
            await agrees(reader, query, own)

    walk(server, "", steps)


def test_ctrl_c_ends_it_at_once_and_the_terminal_has_heard_of_nothing_else(server):
    assert server.interrupt() < 2
    assert server.process.returncode == 0
    taken, address, ended = server.said
    assert (taken[:5], address[:11]) == ("Port ", "Explore at ")
    assert ended == "Only this machine can open it. Ctrl-C ends it; nothing is kept."
