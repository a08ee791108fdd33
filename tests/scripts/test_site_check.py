from pathlib import Path

import pytest
from site_check import main, problems


def site(folder: Path, **pages: str) -> Path:
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return folder


def test_a_site_whose_links_lead_somewhere_is_well(tmp_path: Path) -> None:
    other = '<h2 id="a b">A</h2><img src="data:,x"><a href="https://example.com/">away</a>'
    index = '<a href="other.html#a%20b">there</a><a href="/other.html">too</a><a href="#top">up</a><p id="top">'
    assert list(problems(site(tmp_path, index=index, other=other))) == []


@pytest.mark.parametrize(
    "wrong",
    [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/x.css">',
        '<img src="https://pictures.example/x.svg">',
        '<img src="nowhere.svg">',
        '<a href="nowhere.html">',
        '<a href="index.html#nowhere">',
        '<a href="#nowhere">',
        "<p>```sh\nls</p>",
    ],
)
def test_what_comes_from_elsewhere_or_leads_nowhere_is_found(tmp_path: Path, wrong: str) -> None:
    (found,) = problems(site(tmp_path, index=wrong))
    assert found.startswith("index.html: ")
    assert main([str(tmp_path)]) == 1


def test_a_folder_without_a_page_is_no_site(tmp_path: Path) -> None:
    assert main([str(tmp_path)]) == 1
