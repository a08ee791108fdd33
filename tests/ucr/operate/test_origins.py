import json
from pathlib import Path

import pytest

from ucr.operate.origins import origins

FILE = {
    "providers": [
        {
            "id": "p",
            "dialect": "openai-chat",
            "base_url": "http://127.0.0.1:9/v1",
            "api_keys": ["sk-one", "${KEY}"],
            "headers": {"x-api-key": "sk-two", "x-team": "blue"},
        }
    ],
    "admin": {"key": "sk-admin-of-mine"},
}


@pytest.mark.parametrize("environ", [{"KEY": "sk-three"}])
def test_no_secret_is_in_any_row_and_named_ones_stay_named(home: Path, environ: dict[str, str]) -> None:
    (home / "ucr.json").write_text(json.dumps(FILE), "utf-8")
    rows = origins(None, environ)
    assert "sk-" not in repr(rows)
    found = {key: value for key, value, _ in rows}
    assert found["providers.p.api_keys"] == ["***", "${KEY}"]
    assert found["providers.p.headers"] == {"x-api-key": "***", "x-team": "***"}
    assert found["admin.key"] == "***"


def test_without_a_file_all_is_default(home: Path) -> None:
    assert {origin for _, _, origin in origins(None, {"HOME": str(home)})} == {"default"}
