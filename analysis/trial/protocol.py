"""Ready paragraphs for a protocol's statistics section; every number is taken from the result."""

from .phrases import belief, counted, listed, noise, rate_words

NOTHING_WANTED = (
    "No sample size is recommended, since no power is asked for, and no assurance or no design "
    "prior that it could be under."
)


def single_arm(request: dict, rule: str, answer: dict) -> str:
    """Return the paragraph of a single-arm design."""
    n_max, wanted = request["n_max"], _wanted(request)
    chosen = answer["recommended_n"]
    parts = [
        "This is a single-arm trial with a binary outcome.",
        f"The trial is declared a {rule}.",
        f"The analysis prior is {request['analysis_prior']}.",
    ]
    if request["design_prior"] is not None:
        parts.append(f"The design prior (our belief about the true rate) is {belief(request)}.")
    if not wanted:
        parts.append(NOTHING_WANTED)
    elif chosen is None:
        parts.append(_none(request, answer, wanted))
    else:
        row = answer["table"][chosen - request["n_min"]]
        parts.append(
            f"We recommend {chosen} patients, the smallest number from which on {wanted} is "
            f"reached for every larger number up to {n_max}; exact probabilities rise in a "
            "sawtooth, so that a single smaller number may reach it by luck."
        )
        parts += _single_arm_row(request, row, answer)
    if request["design_prior"] is not None:
        parts += _attainable(request, answer)
    if answer.get("frequentist") is not None:
        parts.append(_binomial_test(answer["frequentist"], n_max))
    return " ".join(parts)


def _wanted(request: dict) -> str:
    wanted = []
    if request["assurance"] is not None and request["design_prior"] is not None:
        wanted.append(f"an assurance of {request['assurance']:g}")
    if request["power"] is not None:
        wanted.append(f"a power of {request['power']:g}")
    return " and ".join(wanted)


def _none(request: dict, answer: dict, wanted: str) -> str:
    text = f"No number of patients up to {request['n_max']} reaches {wanted} lastingly"
    for name in ("assurance", "power"):
        best = answer.get(f"best_{name}")
        if best is not None and request[name] is not None:
            error = noise(best.get(f"{name}_mcse"))
            text += f"; the best {name} is {best[name]:.3f}{error}, at {best['n']} patients"
    return text + "."


def _single_arm_row(request: dict, row: dict, answer: dict) -> list[str]:
    least = "at least" if request["direction"] == "above" else "at most"
    text = [
        f"With {row['n']} patients the trial succeeds with {least} {counted(row['critical'])}.",
        f"The exact type I error at a true rate of {request['null']:g} is {row['type1']:.4f}"
        + (
            f", above one minus the level of {request['level']:g}."
            if row["n"] in answer["type1_above"]
            else "."
        ),
    ]
    if row["power"]:
        at = listed(f"{power:.3f} at {rate}" for rate, power in row["power"].items())
        text.append(f"The exact power is {at}.")
    if row["assurance"] is not None:
        text.append(f"The assurance is {row['assurance']:.3f}{noise(answer['assurance_mcse'])}.")
    text.append(
        f"The expected width of the central posterior interval of {request['coverage']:g} "
        f"coverage is {row['width']:.3f}{noise(answer.get('width_mcse'))}."
    )
    return text


def _attainable(request: dict, answer: dict) -> list[str]:
    error = noise(answer["highest_attainable_assurance_mcse"])
    text = (
        "The highest attainable assurance, the design prior's own probability that the true rate "
        f"is {request['direction']} {request['null']:g}, is "
        f"{answer['highest_attainable_assurance']:.3f}{error}"
    )
    if request["rule"] == "dual":
        text += (
            "; under the dual rule the assurance tends to "
            f"{answer['limiting_assurance']:.3f}{noise(answer['limiting_assurance_mcse'])} as "
            "the trial grows"
        )
    return [text + ".", *_under_discounts(answer)]


def _under_discounts(answer: dict) -> list[str]:
    if "discounts" not in answer:
        return []
    at = listed(
        f"{row['recommended_n'] or 'none'} at {row['discount']:g}" for row in answer["discounts"]
    )
    text = [f"Under discounts for optimism (log-odds) the recommended number is {at}."]
    if answer["discount_limit"] is not None:
        text.append(
            f"From a discount of {answer['discount_limit']:.2f} on no number in range suffices "
            "lastingly."
        )
    return text


def _binomial_test(test: dict, n_max: int) -> str:
    asked = (
        f"The {test['test']} test with type I error at most {test['type1_wanted']:g} and power "
        f"{test['power_wanted']:g} at the target"
    )
    if test["n"] is None:
        return f"{asked} needs more than {n_max} patients."
    return (
        f"{asked} needs {test['n']} patients (critical count {test['critical']}, type I error "
        f"{test['type1']:.3f}, power {test['power']:.3f})."
    )


def two_arm(request: dict, rule: str, answer: dict) -> str:
    """Return the paragraph of a two-arm design."""
    chosen = answer["recommended_n"]
    sized = request["n_experimental"] is not None
    believed = request["design_prior_experimental"] is not None
    wanted = _wanted(request | {"design_prior": request["design_prior_experimental"]})
    parts = [
        "This is a randomised two-arm trial with a binary outcome, experimental against control.",
        f"The trial is declared a {rule}.",
        f"The analysis prior is {request['analysis_prior_experimental']} for the experimental and "
        f"{request['analysis_prior_control']} for the control rate.",
    ]
    if believed:
        parts.append(
            "The design priors (our belief about the true rates) are "
            f"{belief(request, 'design_prior_experimental')} for the experimental and "
            f"{request['design_prior_control']} for the control rate."
        )
    if not sized and not wanted:
        parts.append(NOTHING_WANTED)
    elif not sized and chosen is None:
        parts.append(_none(request, answer, wanted))
    elif not sized:
        parts.append(
            f"We recommend {chosen} patients in total, the smallest number from which on {wanted} "
            f"is reached for every larger number up to {request['n_max']}."
        )
    parts += _two_arm_row(request, answer)
    if believed:
        parts.append(
            "The highest attainable assurance, the design priors' own probability that the true "
            f"difference is {request['direction']} {request['margin']:g}, is "
            f"{answer['highest_attainable_assurance']:.3f}"
            f"{noise(answer['highest_attainable_assurance_mcse'])}."
        )
        parts += _under_discounts(answer)
    test = answer["frequentist"]
    if test is not None:
        parts.append(
            f"A {test['test']} with type I error {test['type1_wanted']:g} and power "
            f"{test['power_wanted']:g} needs {test['n_experimental']} experimental and "
            f"{test['n_control']} control patients."
        )
    return " ".join(parts)


def _two_arm_row(request: dict, answer: dict) -> list[str]:
    first = answer["operating"][0]
    size = first["n_experimental"], first["n_control"]
    row = next(row for row in answer["table"] if (row["n_experimental"], row["n_control"]) == size)
    text = f"With {size[0]} experimental and {size[1]} control patients"
    if request["type1"] is not None:
        text += f" success needs a posterior probability above {answer['level']:.12g}, and"
    text += (
        f" the type I error is at most {row['type1_max']:.4f}, over the whole range of control "
        f"rates at a true difference of {request['margin']:g}"
    )
    if row["power"] is not None:
        rates = listed(f"{rate:g}" for rate in request["control_rate"])
        least = "smallest " if len(request["control_rate"]) > 1 else ""
        text += (
            f"; the {least}power at a true difference of {request['effect']:g} and a control rate "
            f"of {rates} is {row['power']:.3f}"
        )
    if row["assurance"] is not None:
        text += f"; the assurance is {row['assurance']:.3f}{noise(answer['assurance_mcse'])}"
    return [text + "."]


def two_stage(request: dict, answer: dict) -> str:
    """Return the paragraph of Simon's two-stage designs."""
    asked = (
        f"a response rate of {request['null']:g} against {request['target']:g}, type I error at "
        f"most {request['type1']:g} and power at least {request['power']:g}"
    )
    if answer["optimal"] is None:
        return f"No two-stage design with up to {request['n_max']} patients has {asked}."
    parts = [f"Simon's two-stage designs for {asked}."]
    for name in ("optimal", "minimax"):
        design = answer[name]
        parts.append(
            f"The {name} design treats {design['n1']} patients, stops for futility with at most "
            f"{design['r1']} responses, else goes on to {design['n']} patients and rejects the "
            f"lower rate with more than {design['r']} responses (probability of early termination "
            f"{design['pet']:.4f} and expected number of patients {design['expected_n']:.2f} at "
            f"the lower rate; exact type I error {design['alpha']:.4f}, power "
            f"{design['power']:.4f})."
        )
    return " ".join(parts)


def precision(request: dict, answer: dict) -> str:
    """Return the paragraph of a sample size for an interval's width."""
    meanings = {
        "acc": "average coverage",
        "alc": "average length",
        "woc": "worst outcome",
    }
    found = [f"{answer[name]} ({words})" for name, words in meanings.items() if answer[name]]
    parts = [
        f"The sample size is chosen for a posterior interval of coverage {request['coverage']:g} "
        f"and total width {request['width']:g}; the analysis prior is "
        f"{request['analysis_prior']}, and counts are predicted from the design prior "
        f"{request['design_prior']}."
    ]
    if found:
        parts.append(f"The number of patients is {listed(found)}.")
        parts += _averaged(answer)
    for name, words in meanings.items():
        if answer[name] is None:
            best = answer["values"][name]
            what = "coverage" if name == "acc" else "width"
            parts.append(
                f"No number up to {request['n_max']} suffices for the {words}; at {best['n']} "
                f"patients the {what} is {best['value']:.3f}{noise(best['value_mcse'])}."
            )
    other = answer["frequentist"]
    parts.append(
        f"A confidence interval by the {other['interval']} has this width with "
        f"{other['worst_rate_n']} patients whatever the rate, and with {other['rate_n']} at a rate "
        f"of {other['rate']:.3f}{noise(other['rate_mcse'])}."
    )
    return " ".join(parts)


def _averaged(answer: dict) -> list[str]:
    """Say what is reached at the sizes found, where it is averaged over draws."""
    reached = [
        f"the {words} is {best['value']:.3f}{noise(best['value_mcse'])}"
        for name, words in (("acc", "average coverage"), ("alc", "average length"))
        if answer[name] and (best := answer["values"][name])["value_mcse"] is not None
    ]
    return [f"With them {listed(reached)}."] if reached else []


def ess(request: dict, answer: dict) -> str:
    """Return the sentences on what a prior is worth."""
    local = (
        "has no finite expected local-information ratio (ELIR), as a part of the mixture has a "
        "shape below 1; it is worth"
        if answer["elir"] is None
        else f"is worth {answer['elir']:.1f} patients{noise(answer['elir_mcse'])} by the expected "
        "local-information ratio (ELIR),"
    )
    return (
        f"The prior is {request['prior']}, with mean {rate_words(answer['mean'])}"
        f"{noise(answer['mean_mcse'])} and central 95 % interval {rate_words(answer['q2.5'])} to "
        f"{rate_words(answer['q97.5'])}. It {local} "
        f"{answer['moment']:.1f}{noise(answer['moment_mcse'])} by its mean and variance, and "
        f"{answer['morita']:.1f}{noise(answer['morita_mcse'])} by the curvature at its mode "
        "(Morita)."
        + (
            ""
            if answer["distance"] is None
            else f" They are of a beta mixture within {answer['distance']:.2g} of its distribution."
        )
    )
