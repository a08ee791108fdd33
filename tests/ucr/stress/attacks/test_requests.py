from ucr.stress.attacks.requests import FOREIGN, KEYS, NAMING, PATHS, Intrusion


def test_a_request_carries_its_body_and_one_without_has_no_length() -> None:
    assert Intrusion(body=b"abc").bytes().endswith(b"content-length: 3\r\n\r\nabc")
    assert b"content-length" not in Intrusion("GET", body=b"abc").bytes()


def test_a_header_of_its_own_stands_in_the_place_of_the_usual_one() -> None:
    data = Intrusion(headers={"host": "elsewhere.test"}).bytes()
    assert data.count(b"host: ") == 1
    assert b"host: elsewhere.test\r\n" in data


def test_no_row_may_be_answered_well() -> None:
    rows = [row for table in (FOREIGN, PATHS, KEYS) for row in table.values()]
    assert [row for row in rows if 200 in row.statuses] == []
    assert len(NAMING) > 5
