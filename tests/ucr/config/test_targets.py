from ucr.config.targets import ModelTarget


def test_a_target_is_shown_as_it_is_written() -> None:
    assert str(ModelTarget("p")) == "p"
    assert str(ModelTarget("p", "a/b")) == "p/a/b"
