"""The number of calls of a plan without changes; never its time, which is for the benchmark alone."""

from __future__ import annotations

import pytest

from benchmarks.formula import least_calls
from benchmarks.generate import Fleet
from benchmarks.plan import Measured, measure


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Measured]:
    """A cold and a warm plan of ten services, whose differences the meter has found to be none."""
    return measure(10, tmp_path_factory.mktemp("ten"), runs=1)


def test_a_cold_plan_of_ten_services_makes_37_calls(rows: list[Measured]) -> None:
    cold = rows[0]
    assert (cold.cold, cold.made.total(), sum(cold.least.values())) == (True, 37, 35)


def test_a_warm_plan_reads_no_task_definition_and_no_attributes_of_target_groups(rows: list[Measured]) -> None:
    warm = rows[1]
    assert (warm.cold, warm.made.total(), sum(warm.least.values())) == (False, 15, 13)
    assert "ecs:DescribeTaskDefinition" not in warm.made
    assert "elbv2:DescribeTargetGroupAttributes" not in warm.made


def test_no_operation_is_called_less_often_than_the_formula_says(rows: list[Measured]) -> None:
    for row in rows:
        assert all(row.made[name] >= least for name, least in row.least.items())


def test_the_formula_fills_batches_and_pages() -> None:
    warm, cold = least_calls(Fleet(6000), cold=False), least_calls(Fleet(6000), cold=True)
    assert warm["ecs:ListServices"] == 60
    assert warm["ecs:DescribeServices"] == 600
    assert warm["elbv2:DescribeTargetGroups"] == 15
    assert warm["elbv2:DescribeTags"] == 606
    assert cold["elbv2:DescribeTargetGroupAttributes"] == 6000
