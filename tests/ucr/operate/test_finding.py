from ucr.operate.finding import Finding, is_well


def test_warnings_are_no_failures() -> None:
    fine = [Finding("a", "ok", "x"), Finding("b", "warning", "y", "z")]
    assert is_well(fine)
    assert not is_well([*fine, Finding("c", "failed", "y", "z")])
