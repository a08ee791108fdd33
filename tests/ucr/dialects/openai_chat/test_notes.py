from ucr.dialects.openai_chat.notes import NOTES_LIMIT, Notes, name


def test_a_phrase_is_kept_once_and_in_order() -> None:
    notes = Notes()
    for phrase in ("b", "a", "b"):
        notes.add(phrase)
    assert notes.phrases == ("b", "a")


def test_names_from_outside_cannot_break_the_header() -> None:
    notes = Notes()
    notes.dropped("évil\r\nset-cookie: a; b, c")
    assert notes.phrases == ("dropped _vil_set-cookie:_a_b_c",)
    assert name("") == "_"
    assert len(name("x" * 500)) == 40


def test_there_is_an_end_to_notes() -> None:
    notes = Notes()
    for number in range(100):
        notes.add(str(number))
    assert len(notes.phrases) == NOTES_LIMIT
