"""What the ready paragraphs must not leave out."""

from mscpool.analysis.trial.monitoring import monitor, safety


def test_interim_looks_name_the_ends_the_prior_and_the_decision_now():
    asked = {
        "null": 0.3, "target": 0.5, "look": [20, 30, 40], "futility": 0.05, "efficacy": 0.95,
        "type1": 0.05, "design_prior": "beta(8,12)",
    }  # fmt: skip
    result = monitor(events_so_far=9, n_so_far=20, **asked)
    (first, _, last), said = result.to_dict()["looks"], result.paragraph
    assert (
        f"After 20 patients: stop for futility with at most {first['futility_at_most']} events "
        f"and for efficacy with at least {first['efficacy_at_least']} events."
    ) in said
    assert f"After 40 patients: success with at least {last['efficacy_at_least']} events." in said
    assert "raised until the type I error over all looks is at most 0.05" in said
    assert "under the design prior" in said
    with_looks = result.to_dict()["success_probability_with_looks"]
    assert f"with the stops of the looks ahead it is {with_looks:.3f}" in said
    assert "The decision now is to continue." in said
    few = monitor(events_so_far=1, n_so_far=20, **asked)
    assert "The decision now is to stop for futility." in few.paragraph
    done = monitor(events_so_far=30, n_so_far=40, **asked)
    assert "The trial is a success." in done.paragraph
    lost = monitor(events_so_far=3, n_so_far=40, **asked)
    assert "The trial is no success." in lost.paragraph
    before = monitor(null=0.3, look=[20])
    assert "under the analysis prior" in before.paragraph
    assert "The decision now" not in before.paragraph
    assert "with the stops" not in before.paragraph


def test_harm_boundary_says_its_looks_and_counts():
    result = safety(null=0.1, target=0.3, look=[10, 20, 40])
    rows, said = result.to_dict()["boundary"], result.paragraph
    assert "at 10, 20 and 40 patients" in said
    counts = ", ".join(f"{row['stop_at']} among {row['n']}" for row in rows[:2])
    assert f"at least {counts} and {rows[2]['stop_at']} among 40 patients" in said
    ratio = result.to_dict()["frequentist"]["sprt"]
    assert (
        "truncated sequential probability ratio test of 0.1 against 0.3 at the same looks stops "
        f"for harm with probability {ratio[0]['stop']:.4f} and {ratio[1]['stop']:.4f}"
    ) in said


def test_counts_of_neighbouring_sizes_are_one_stretch():
    result = safety(null=0.2, target=0.5, boundary="sprt", n_min=4, n_max=9)
    stop = {row["n"]: row["stop_at"] for row in result.to_dict()["boundary"]}
    clear = {row["n"]: row["clear_at"] for row in result.to_dict()["boundary"]}
    stretches = []
    for n, count in stop.items():
        if stretches and stretches[-1][0] == count:
            stretches[-1][2] = n
        else:
            stretches.append([count, n, n])
    texts = [f"{c} among {a} to {b}" if a < b else f"{c} among {a}" for c, a, b in stretches]
    *head, last = texts
    listed = f"{', '.join(head)} and {last}" if head else last
    assert f"at least {listed} patients" in result.paragraph
    assert "at most 0 among" in result.paragraph
    assert clear[4] == 0 or clear[4] is None
    long = safety(null=0.2, n_max=300).paragraph
    assert "among 5" not in long


def test_one_average_of_a_stopping_rule_is_cleared_in_the_passive():
    said = safety(null=0.1, target=0.3, boundary="sprt", design_prior="beta(1,9)").paragraph
    assert "is cleared with probability" in said
    assert ", cleared" not in said
