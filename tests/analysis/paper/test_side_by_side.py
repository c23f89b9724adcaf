"""Two processes give what one gives, and neither outlives, repeats or loses the other's work."""

import operator
import os
import subprocess
import sys
from functools import partial

import pytest

from mscpool.analysis.paper.side_by_side import begin, companion, finish

SCRIPT = """
from mscpool.analysis.paper.side_by_side import begin, companion, finish
print("once")
with companion(()) as other:
    assert other is not None
    print(finish(begin(abs, [-1, -2, -3, -4], other)))
"""


@pytest.fixture
def two_cores(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)


def process_of(_):
    return os.getpid()


def test_results_are_in_the_order_of_the_items_whoever_makes_them(two_cores):
    items = list(range(40))
    with companion(("math",)) as other:
        assert finish(begin(partial(operator.add, 1), items, other)) == [i + 1 for i in items]


def test_the_companion_is_another_process_that_ends_with_the_context(two_cores):
    with companion(()) as other:
        assert other is not None
        shared = begin(eval, ["__import__('os').getpid()"], other)
        assert shared.awaited[0].result(timeout=60) == other.process.pid != os.getpid()
    assert other.process.returncode == 0


def test_on_one_core_there_is_no_companion_and_all_is_done_here(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    with companion(()) as other:
        assert other is None
        assert finish(begin(process_of, [0, 1], other)) == [os.getpid()] * 2


def divide_by_nothing(seen):
    with companion(()) as other:
        seen.append(other)
        shared = begin(partial(operator.truediv, 1), [0, *range(1, 9)], other)
        assert isinstance(shared.awaited[0].exception(timeout=60), ZeroDivisionError)
        finish(shared)


def interrupt_oneself(seen):
    with companion(()) as other:
        seen.append(other)
        begin(abs, list(range(1000)), other)
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("done", "raised"),
    [(divide_by_nothing, ZeroDivisionError), (interrupt_oneself, KeyboardInterrupt)],
)
def test_what_stops_the_first_process_or_its_job_ends_the_second(two_cores, done, raised):
    seen = []
    with pytest.raises(raised):
        done(seen)
    assert seen[0].process.poll() is not None


def test_what_a_lost_companion_leaves_is_done_here(two_cores):
    with companion(()) as other:
        assert other is not None
        other.process.kill()
        other.process.wait()
        assert finish(begin(abs, [-1, -2, -3], other)) == [1, 2, 3]


def test_a_script_without_a_guarded_main_part_is_not_run_twice(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os\nos.cpu_count = lambda: 2\n" + SCRIPT, encoding="utf-8")
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    assert ran.stdout.split("\n") == ["once", "[1, 2, 3, 4]", ""]
