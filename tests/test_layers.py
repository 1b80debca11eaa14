"""A module imports from its own layer and lower ones; the pure layers never touch torch; tasks stay in tasks/."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "headstart"
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path.name != "__main__.py" and path != SOURCE / "__init__.py")

LAYERS: dict[int, tuple[str, ...]] = {
    0: ("_version", "errors", "examples"),
    1: (
        "ahead",
        "alignment",
        "candidates",
        "chunks",
        "data",
        "metrics",
        "pair_layout",
        "ragged",
        "scoring",
        "spans",
        "text_windows",
        "tags",
        "tokens",
        "window_rows",
        "window_store",
        "windows",
        "word_windows",
    ),
    2: ("tasks",),
    3: (
        "batching",
        "behind",
        "checkpoint",
        "curves",
        "distribution",
        "encoders",
        "evaluation",
        "hardware",
        "inference",
        "kernels",
        "messages",
        "prediction",
        "prediction_files",
        "preparation",
        "recipe",
        "run_folder",
        "settings",
        "speed",
        "stages",
        "trainer",
        "training",
        "work",
    ),
    4: ("answering",),
    5: ("cli",),
}
LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names}


def name_of(path: Path) -> str:
    """`headstart.data.squad` for a file."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def part_of(module: str) -> str:
    """`data` for `headstart.data.squad`: what the layers are made of."""
    return module.split(".")[1]


def imports(path: Path) -> Iterator[tuple[str, bool]]:
    """Every module a file imports, anywhere in it, and whether only the type checker sees that."""

    def walk(node: ast.AST, typing_only: bool) -> Iterator[tuple[str, bool]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                yield from ((alias.name, typing_only) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path.name}: relative import"
                yield from ((child.module or "", typing_only) for _ in child.names[:1])
                if child.module == "headstart":
                    yield from ((f"headstart.{alias.name}", typing_only) for alias in child.names)
            guarded = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test)
            yield from walk(child, typing_only or guarded)

    return walk(ast.parse(path.read_text(encoding="utf-8")), False)


def test_every_module_has_a_layer():
    found = {part_of(name_of(path)) for path in MODULES}
    assert found == set(LAYER_OF), "put the new module into LAYERS"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_down(path):
    own = LAYER_OF[part_of(name_of(path))]
    for module, _ in imports(path):
        if module.startswith("headstart."):
            part = part_of(module)
            assert LAYER_OF[part] <= own, f"layer {own} imports {module} of layer {LAYER_OF[part]}"


def test_a_file_of_a_lower_layer_that_looked_up_would_be_seen(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("def f():\n    from headstart.cli.main import main\nif TYPE_CHECKING:\n    import torch\n")
    assert list(imports(path)) == [("headstart.cli.main", False), ("torch", True)]
    assert LAYER_OF[part_of("headstart.cli.main")] == 5


@pytest.mark.parametrize("path", [path for path in MODULES if LAYER_OF[part_of(name_of(path))] < 2], ids=name_of)
def test_pure_layers_do_not_import_torch(path):
    heavy = {module for module, typing_only in imports(path) if not typing_only}
    assert not {module for module in heavy if module.split(".")[0] in ("torch", "transformers", "accelerate")}


OPTIONAL = ("datasets", "pyarrow", "pandas", "matplotlib", "torch", "transformers", "accelerate", "tokenizers", "yaml")
TORCHS_OWN = ("kernels", "trainer")  # subclasses of torch's and transformers' classes: imported when a model is loaded


@pytest.mark.parametrize("path", [p for p in MODULES if part_of(name_of(p)) not in TORCHS_OWN], ids=name_of)
def test_what_is_heavy_is_imported_where_it_is_used(path):
    """At the top of a file it would make every import of headstart slow."""
    top = ast.parse(path.read_text(encoding="utf-8")).body
    found = [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
    found += [node.module or "" for node in top if isinstance(node, ast.ImportFrom)]
    assert not {module for module in found if module.split(".")[0] in OPTIONAL}


def compared(node: ast.Compare) -> set[str]:
    """The dotted names on either side of a comparison."""
    return {ast.unparse(side) for side in (node.left, *node.comparators)}


@pytest.mark.parametrize("path", [p for p in MODULES if part_of(name_of(p)) != "tasks"], ids=name_of)
def test_no_choice_by_task_outside_tasks(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Compare):
            names = {name for name in compared(node) if name == "task" or name.endswith((".task", "task.name"))}
            assert not names, f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance":
            assert "QuestionAnswering" not in ast.unparse(node.args[1]), f"line {node.lineno}"
        if isinstance(node, ast.Match):
            assert "task" not in ast.unparse(node.subject), f"line {node.lineno}"
