"""Every block of code in README and docs is what it says; those of shell run in `tests/e2e/test_pages.py`."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.world.blocks import LANGUAGES, OPTIONS, Block, all_blocks, blocks_of
from tests.world.sources import ROOT
from ucr.config.load import load
from ucr.config.model import Config
from ucr.errors import ConfigError

BLOCKS = all_blocks()
SKIPPED = 8
"""How many blocks are not tried. Each says why; who adds one counts it here."""

PROVIDERS = {
    "anthropic": "",
    "deepseek": "",
    "google": "",
    "groq": "",
    "openai": "",
    "ollama": 'default_model = "qwen3:8b"',
    "office": 'dialect = "openai-chat"\nbase_url = "https://llm.example.com/v1"',
}
"""Providers that blocks speak of without having them: each page says of which it assumes that they are there."""


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages and "skip" not in block.options]


def each(*languages: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("block", of(*languages), ids=str)


def loaded(text: str) -> Config:
    """Load a configuration, with the providers that it speaks of and does not have."""
    own = {provider["id"] for provider in tomllib.loads(text).get("providers", ())}
    others = [
        f'\n[[providers]]\nid = "{id}"\napi_key = "sk-test"\n{lines}\n'
        for id, lines in PROVIDERS.items()
        if id not in own and (not own or re.search(rf'"{id}["/]', text))
    ]
    keys = dict.fromkeys(re.findall(r"(?<!\$)\$\{(\w+)\}", text), "test-0123456789-0123456789-0123456789")
    return load(text + "".join(others), "ucr.toml", keys)


def warnings(config: Config) -> list[str]:
    return [words for words in config.warnings if "router.default is not set" not in words]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_every_block_says_its_language_and_how_it_is_tried(block: Block) -> None:
    assert block.language in LANGUAGES
    assert set(block.options) <= OPTIONS
    assert block.text.strip()


def test_no_block_is_left_out_without_being_counted() -> None:
    skipped = {str(block): block.options["skip"] for block in BLOCKS if "skip" in block.options}
    assert all(len(why.split()) >= 3 for why in skipped.values())
    assert len(skipped) == SKIPPED, skipped


def test_every_fence_is_a_block() -> None:
    for page in {block.page for block in BLOCKS}:
        fences = re.findall(r"^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert len(fences) == 2 * sum(block.page == page for block in BLOCKS), page


@each("toml")
def test_every_configuration_loads_and_nothing_is_warned_of(block: Block) -> None:
    if "of" in block.options:
        assert tomllib.loads(block.text)
    else:
        assert warnings(loaded(block.text)) == []


def test_the_configuration_of_codex_leads_to_the_router() -> None:
    (block,) = [block for block in of("toml") if block.options.get("of") == "Codex"]
    settings = tomllib.loads(block.text)
    provider = settings["model_providers"][settings["model_provider"]]
    assert (provider["base_url"], provider["wire_api"]) == ("http://127.0.0.1:3000/v1", "responses")


@each("json")
def test_every_block_of_json_is_json(block: Block) -> None:
    json.loads(block.text)


@each("python")
def test_every_block_of_python_compiles_and_excerpts_are_in_their_source(block: Block) -> None:
    compile(block.text, str(block), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if "source" in block.options:
        source = (ROOT / block.options["source"]).read_text(encoding="utf-8")
        lines = (re.escape(line.strip()) for line in block.text.splitlines() if line.strip() != "...")
        assert re.search(r"\n[\s\S]*?".join(lines), source)


def test_the_custom_router_names_targets() -> None:
    (block,) = [block for block in of("python") if "def route(" in block.text]
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)  # noqa: S102
    head = {"has_images": False, "input_tokens": 100, "tools": 0}
    routed = [names["route"](head | changed) for changed in ({}, {"has_images": True}, {"tools": 3})]
    targets = ", ".join(f'"{target}"' for target in (*routed[0], routed[1]))
    assert routed[2] is None
    assert loaded(f"[router]\ndefault = [{targets}]").router.default


METRICS = frozenset(
    re.findall(r"^\| `(ucr_\w+)` \|", (ROOT / "docs" / "reference.md").read_text(), re.MULTILINE)
)


@each("promql")
def test_every_metric_of_a_query_is_there(block: Block) -> None:
    named = {re.sub(r"_bucket$", "", name) for name in re.findall(r"\bucr_\w+", block.text)}
    assert named
    assert named <= METRICS


@each("conf")
def test_every_block_of_another_program_is_balanced(block: Block) -> None:
    assert block.text.count("{") == block.text.count("}")


def manifests(text: str) -> Iterator[dict[str, Any]]:
    """Give the documents of a block of YAML; a value that is no table is a fault."""
    for document in yaml.safe_load_all(text):
        assert isinstance(document, dict)
        yield document


@each("yaml")
def test_every_block_of_yaml_is_yaml(block: Block) -> None:
    assert list(manifests(block.text))


KUBERNETES = [one for block in of("yaml") if "apiVersion" in block.text for one in manifests(block.text)]


def of_kind(kind: str) -> dict[str, Any]:
    (found,) = [one for one in KUBERNETES if one["kind"] == kind]
    return found


def test_manifests_belong_together() -> None:
    deployment, service = of_kind("Deployment")["spec"], of_kind("Service")["spec"]
    pod = deployment["template"]
    (container,) = pod["spec"]["containers"]
    assert deployment["selector"]["matchLabels"] == service["selector"] == pod["metadata"]["labels"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {
        one["name"] for one in pod["spec"]["volumes"]
    }
    assert [port["name"] for port in container["ports"]] == [port["targetPort"] for port in service["ports"]]
    assert {one["metadata"]["name"] for one in KUBERNETES} == {"ucr"}


def test_a_pod_has_no_rights_and_writes_where_the_image_does() -> None:
    pod = of_kind("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert f"USER {pod['securityContext']['runAsUser']}" in image
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    writable = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert writable == {"/tmp", re.findall(r"UCR_STATE_DIR=(\S+)", image)[0]}


def test_a_pod_has_time_to_drain_and_probes_ask_what_the_router_answers() -> None:
    config_text = of_kind("ConfigMap")["data"]["ucr.toml"]
    pod = of_kind("Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    pause_s = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] >= pause_s + loaded(config_text).server.grace_s + ENDED_AFTER_S
    asked = {
        name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "readiness", "liveness")
    }
    assert asked == {"startup": "/ready", "readiness": "/ready", "liveness": "/health"}


ENDED_AFTER_S = 6
"""A worker that has not ended so long after its grace time is ended: see docs/architecture.md."""


def test_a_block_has_its_page_its_line_and_its_options() -> None:
    (block,) = blocks_of("page.md", 'words\n\n```sh skip="why not" status="2"\nls\n```\n')
    assert block == Block("page.md", 3, "sh", {"skip": "why not", "status": "2"}, "ls\n")


def test_a_configuration_that_is_wrong_is_found() -> None:
    with pytest.raises(ConfigError):
        loaded("[router]\ndefault = 'nobody'")
    wrong = replace(BLOCKS[0], text="[server]\nprot = 3000\n", language="toml", options={})
    with pytest.raises(ConfigError):
        test_every_configuration_loads_and_nothing_is_warned_of(wrong)
