"""Ready paragraphs of watched trials: stopping for harm, and interim looks."""

from .phrases import belief, counted, listed, noise

# More stretches of counts than these are left to the table.
MOST_COUNTS = 12


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
            reached = f", with which it is {row['seen']:.3f}{noise(row['seen_mcse'])}"
        parts.append(
            f"To see at least one event with probability {request['assurance']:g} {where}, "
            f"{n} are needed{reached}."
        )
    if request["design_prior"] is not None:
        parts.append(f"The design prior is {belief(request)}.")
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
        looks = f"at {listed(f'{n}' for n in request['look'])}"
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
            among = listed(
                f"{count} among {first}" + (f" to {last}" if last > first else "")
                for count, first, last in known
            )
            parts.append(f"It {does} with at {least} {among} patients.")
    return parts


def _stops_believed(row: dict) -> str:
    cleared = ""
    if row["clear"]:
        cleared = f", is cleared with probability {row['clear']:.4f}{noise(row['clear_mcse'])}"
    return (
        f"Averaged over the design prior it stops for harm with probability {row['stop']:.4f}"
        f"{noise(row['stop_mcse'])}{cleared} and treats {row['expected_n']:.1f} patients"
        f"{noise(row['expected_n_mcse'])} on average."
    )


def _under_design_prior(zero: dict) -> str:
    upper = zero["upper_design_prior"]
    if upper is None:
        return ""
    return f", and of {upper:.4f}{noise(zero['upper_design_prior_mcse'])} under the design prior"


def monitor(request: dict, rule: str, answer: dict) -> str:
    """Return the paragraph of a trial with interim looks."""
    looks = listed(f"{n}" for n in request["look"])
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
        parts.append(f"The design prior is {belief(request)}.")
    given = "Before the trial"
    if request["n_so_far"] is not None:
        given = f"Given {counted(request['events_so_far'])} in {request['n_so_far']} patients"
    parts.append(
        f"{given} the probability of success at the last look is "
        f"{answer['success_probability']:.3f}{noise(answer['success_probability_mcse'])} "
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
            name.split("_")[0]: f"with {name.partition('_')[2].replace('_', ' ')} {counted(count)}"
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
        error = noise(answer["success_probability_with_looks_mcse"])
        text += f"; with the stops of the looks ahead it is {with_looks:.3f}{error}"
    return text


def _decision(decision: str, final: bool) -> str:
    if final:
        return f"The trial is {'a' if decision == 'efficacy' else 'no'} success."
    to = "continue" if decision == "continue" else f"stop for {decision}"
    return f"The decision now is to {to}."
