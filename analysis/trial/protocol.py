"""Ready paragraphs for a protocol's statistics section; every number is taken from the result."""

import math

# More stretches of counts than these are left to the table.
MOST_COUNTS = 12
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
        parts.append(f"The design prior (our belief about the true rate) is {_believed(request)}.")
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


def _believed(request: dict, name: str = "design_prior") -> str:
    text = request[name]
    if request["discount"]:
        text += f", with a discount for optimism of {request['discount']:g} on the log-odds"
    return text


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
            noise = _noise(best.get(f"{name}_mcse"))
            text += f"; the best {name} is {best[name]:.3f}{noise}, at {best['n']} patients"
    return text + "."


def _single_arm_row(request: dict, row: dict, answer: dict) -> list[str]:
    least = "at least" if request["direction"] == "above" else "at most"
    text = [
        f"With {row['n']} patients the trial succeeds with {least} {_events(row['critical'])}.",
        f"The exact type I error at a true rate of {request['null']:g} is {row['type1']:.4f}"
        + (
            f", above one minus the level of {request['level']:g}."
            if row["n"] in answer["type1_above"]
            else "."
        ),
    ]
    if row["power"]:
        at = _list(f"{power:.3f} at {rate}" for rate, power in row["power"].items())
        text.append(f"The exact power is {at}.")
    if row["assurance"] is not None:
        text.append(f"The assurance is {row['assurance']:.3f}{_noise(answer['assurance_mcse'])}.")
    text.append(
        f"The expected width of the central posterior interval of {request['coverage']:g} "
        f"coverage is {row['width']:.3f}{_noise(answer.get('width_mcse'))}."
    )
    return text


def _attainable(request: dict, answer: dict) -> list[str]:
    noise = _noise(answer["highest_attainable_assurance_mcse"])
    text = (
        "The highest attainable assurance, the design prior's own probability that the true rate "
        f"is {request['direction']} {request['null']:g}, is "
        f"{answer['highest_attainable_assurance']:.3f}{noise}"
    )
    if request["rule"] == "dual":
        text += (
            "; under the dual rule the assurance tends to "
            f"{answer['limiting_assurance']:.3f}{_noise(answer['limiting_assurance_mcse'])} as "
            "the trial grows"
        )
    return [text + ".", *_under_discounts(answer)]


def _under_discounts(answer: dict) -> list[str]:
    if "discounts" not in answer:
        return []
    at = _list(
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


def _noise(error: float | None) -> str:
    """Say the Monte-Carlo error of a number that is averaged over draws; nothing of any other."""
    return "" if error is None else f" (Monte-Carlo standard error {_rate(error)})"


def _events(count: int) -> str:
    return f"{count} event" if count == 1 else f"{count} events"


def _list(parts) -> str:
    *head, last = list(parts)
    return f"{', '.join(head)} and {last}" if head else last


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
            f"{_believed(request, 'design_prior_experimental')} for the experimental and "
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
            f"{_noise(answer['highest_attainable_assurance_mcse'])}."
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
        rates = _list(f"{rate:g}" for rate in request["control_rate"])
        least = "smallest " if len(request["control_rate"]) > 1 else ""
        text += (
            f"; the {least}power at a true difference of {request['effect']:g} and a control rate "
            f"of {rates} is {row['power']:.3f}"
        )
    if row["assurance"] is not None:
        text += f"; the assurance is {row['assurance']:.3f}{_noise(answer['assurance_mcse'])}"
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
        parts.append(f"The number of patients is {_list(found)}.")
        parts += _averaged(answer)
    for name, words in meanings.items():
        if answer[name] is None:
            best = answer["values"][name]
            what = "coverage" if name == "acc" else "width"
            parts.append(
                f"No number up to {request['n_max']} suffices for the {words}; at {best['n']} "
                f"patients the {what} is {best['value']:.3f}{_noise(best['value_mcse'])}."
            )
    other = answer["frequentist"]
    parts.append(
        f"A confidence interval by the {other['interval']} has this width with "
        f"{other['worst_rate_n']} patients whatever the rate, and with {other['rate_n']} at a rate "
        f"of {other['rate']:.3f}{_noise(other['rate_mcse'])}."
    )
    return " ".join(parts)


def _averaged(answer: dict) -> list[str]:
    """Say what is reached at the sizes found, where it is averaged over draws."""
    reached = [
        f"the {words} is {best['value']:.3f}{_noise(best['value_mcse'])}"
        for name, words in (("acc", "average coverage"), ("alc", "average length"))
        if answer[name] and (best := answer["values"][name])["value_mcse"] is not None
    ]
    return [f"With them {_list(reached)}."] if reached else []


def safety(request: dict, rule: str, answer: dict) -> str:
    """Return the paragraph of a safety watch."""
    parts = []
    for row in answer["detection"]:
        where = "averaged over the design prior"
        if row["rate"] is not None:
            where = f"if the true rate is {row['rate']:g}"
        n = "more patients than any trial treats" if row["n"] is None else f"{row['n']} patients"
        reached = ""
        if row["seen_mcse"] is not None:
            reached = f", with which it is {row['seen']:.3f}{_noise(row['seen_mcse'])}"
        parts.append(
            f"To see at least one event with probability {request['assurance']:g} {where}, "
            f"{n} are needed{reached}."
        )
    if request["design_prior"] is not None:
        parts.append(f"The design prior is {_believed(request)}.")
    zero = answer["zero_events"]
    parts.append(
        f"No event among {zero['n']} patients would leave an upper posterior bound of "
        f"{zero['upper']:.4f} (probability {request['level']:g}, analysis prior "
        f"{request['analysis_prior']}){_under_design_prior(zero)}; the rule of three gives "
        f"{zero['rule_of_three']:.4f}, the exact confidence bound is "
        f"{answer['frequentist']['exact_upper']:.4f}."
    )
    if not answer["boundary"]:
        return " ".join(parts)
    looks = f"from {request['n_min']} to {request['n_max']}"
    if request["look"] is not None:
        looks = f"at {_list(f'{n}' for n in request['look'])}"
    parts.append(f"Stopping rule: {rule}, {looks} patients.")
    parts += _counts(answer["boundary"])
    for row in answer["operating"]:
        cleared = f", is cleared with probability {row['clear']:.4f}" if row["clear"] else ""
        parts.append(
            f"At a true rate of {row['rate']:g} the trial stops for harm with probability "
            f"{row['stop']:.4f}{cleared} and treats {row['expected_n']:.1f} patients on average."
        )
    if "operating_design_prior" in answer:
        parts.append(_stops_believed(answer["operating_design_prior"]))
    ratio = answer["frequentist"].get("sprt")
    if ratio is not None and request["boundary"] == "posterior":
        parts.append(
            f"The truncated sequential probability ratio test of {request['null']:g} against "
            f"{request['target']:g} at the same looks stops for harm with probability "
            f"{ratio[0]['stop']:.4f} and {ratio[1]['stop']:.4f} at these rates."
        )
    return " ".join(parts)


def _counts(boundary: list[dict]) -> list[str]:
    """Say the counts of a boundary, where they are few enough for a paragraph."""
    parts = []
    for name, does, least in (("stop_at", "stops", "least"), ("clear_at", "clears", "most")):
        stretches: list[list] = []
        for row in boundary:
            count, n = row[name], row["n"]
            if stretches and stretches[-1][0] == count:
                stretches[-1][2] = n
            else:
                stretches.append([count, n, n])
        known = [stretch for stretch in stretches if stretch[0] is not None]
        if 0 < len(known) <= MOST_COUNTS:
            among = _list(
                f"{count} among {first}" + (f" to {last}" if last > first else "")
                for count, first, last in known
            )
            parts.append(f"It {does} with at {least} {among} patients.")
    return parts


def _stops_believed(row: dict) -> str:
    cleared = ""
    if row["clear"]:
        cleared = f", is cleared with probability {row['clear']:.4f}{_noise(row['clear_mcse'])}"
    return (
        f"Averaged over the design prior it stops for harm with probability {row['stop']:.4f}"
        f"{_noise(row['stop_mcse'])}{cleared} and treats {row['expected_n']:.1f} patients"
        f"{_noise(row['expected_n_mcse'])} on average."
    )


def _under_design_prior(zero: dict) -> str:
    upper = zero["upper_design_prior"]
    if upper is None:
        return ""
    return f", and of {upper:.4f}{_noise(zero['upper_design_prior_mcse'])} under the design prior"


def monitor(request: dict, rule: str, answer: dict) -> str:
    """Return the paragraph of a trial with interim looks."""
    looks = _list(f"{n}" for n in request["look"])
    parts = [f"Looks are taken after {looks} patients; {rule}."]
    stops = [
        f"for {name} when it is {side} {request[name]:g}"
        for name, side in (("futility", "below"), ("efficacy", "above"))
        if request[name] is not None
    ]
    if stops:
        parts.append(
            "At each interim look the predictive probability of final success is computed; the "
            f"trial stops {' and '.join(stops)}."
        )
    parts.append(f"The analysis prior is {request['analysis_prior']}.")
    parts += _ends(answer["looks"])
    for row in answer["operating"]:
        parts.append(
            f"At a true rate of {row['rate']:g} the trial succeeds with probability "
            f"{row['success']:.4f} (stops early for futility {row['futility']:.4f}, for efficacy "
            f"{row['efficacy']:.4f}) and treats {row['expected_n']:.1f} patients on average."
        )
    if request["design_prior"] is not None:
        parts.append(f"The design prior is {_believed(request)}.")
    given = "Before the trial"
    if request["n_so_far"] is not None:
        given = f"Given {_events(request['events_so_far'])} in {request['n_so_far']} patients"
    parts.append(
        f"{given} the probability of success at the last look is "
        f"{answer['success_probability']:.3f}{_noise(answer['success_probability_mcse'])} "
        f"{_outlook(request, answer)}."
    )
    if answer["decision_now"] is not None:
        parts.append(_decision(answer["decision_now"], request["n_so_far"] == request["look"][-1]))
    test = answer["frequentist"]
    if test["critical"] is not None:
        power = "" if test["power"] is None else f", power {test['power']:.4f}"
        parts.append(
            f"The exact one-sided binomial test without interim looks has the critical count "
            f"{test['critical']} (type I error {test['type1']:.4f}{power})."
        )
    return " ".join(parts)


def _ends(looks: list[dict]) -> list[str]:
    """Say at which counts a trial ends at each look."""
    parts = []
    for row in looks:
        ends = {
            name.split("_")[0]: f"with {name.partition('_')[2].replace('_', ' ')} {_events(count)}"
            for name, count in row.items()
            if name != "n" and count is not None
        }
        if row is looks[-1]:
            said = f"success {ends['efficacy']}" if "efficacy" in ends else "no count is a success"
        elif ends:
            said = "stop " + " and ".join(f"for {name} {count}" for name, count in ends.items())
        else:
            said = "no count stops it"
        parts.append(f"After {row['n']} patients: {said}.")
    return parts


def _outlook(request: dict, answer: dict) -> str:
    """Say under which prior, and what the looks ahead make of it."""
    text = f"under the {'analysis' if request['design_prior'] is None else 'design'} prior"
    with_looks = answer["success_probability_with_looks"]
    ahead = [n for n in request["look"][:-1] if n > (request["n_so_far"] or 0)]
    stops = request["futility"] is not None or request["efficacy"] is not None
    if ahead and stops and with_looks is not None:
        noise = _noise(answer["success_probability_with_looks_mcse"])
        text += f"; with the stops of the looks ahead it is {with_looks:.3f}{noise}"
    return text


def _decision(decision: str, final: bool) -> str:
    if final:
        return f"The trial is {'a' if decision == 'efficacy' else 'no'} success."
    to = "continue" if decision == "continue" else f"stop for {decision}"
    return f"The decision now is to {to}."


def ess(request: dict, answer: dict) -> str:
    """Return the sentences on what a prior is worth."""
    local = (
        "has no finite expected local-information ratio (ELIR), as a part of the mixture has a "
        "shape below 1; it is worth"
        if answer["elir"] is None
        else f"is worth {answer['elir']:.1f} patients{_noise(answer['elir_mcse'])} by the expected "
        "local-information ratio (ELIR),"
    )
    return (
        f"The prior is {request['prior']}, with mean {_rate(answer['mean'])}"
        f"{_noise(answer['mean_mcse'])} and central 95 % interval {_rate(answer['q2.5'])} to "
        f"{_rate(answer['q97.5'])}. It {local} "
        f"{answer['moment']:.1f}{_noise(answer['moment_mcse'])} by its mean and variance, and "
        f"{answer['morita']:.1f}{_noise(answer['morita_mcse'])} by the curvature at its mode "
        "(Morita)."
        + (
            ""
            if answer["distance"] is None
            else f" They are of a beta mixture within {answer['distance']:.2g} of its distribution."
        )
    )


def _rate(rate: float) -> str:
    """Write a rate in three decimals, a small one in two digits."""
    decimals = 3 if rate >= 0.1 or rate <= 0 else min(1 - math.floor(math.log10(rate)), 6)
    return f"{rate:.{decimals}f}"
