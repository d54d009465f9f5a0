"""Holds JSON against the types that Grafana publishes, by its TypeScript compiler. Is not Grafana: it shows nothing.

An enum of those types is met by the text or the number that it stands for, as in JSON. A name that the types don't have
is an error, as long as the literal stands where its type is known.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MODULES = Path(__file__).parent / "grafana" / "node_modules"
TYPESCRIPT = MODULES / "typescript" / "bin" / "tsc"
_PANELS = {
    "stat": "StatPanelCfg",
    "table": "TablePanelCfg",
    "timeseries": "TimeSeriesPanelCfg",
    "state-timeline": "StateTimelinePanelCfg",
}
_WITH_FIELDS = ("table", "timeseries", "state-timeline")
_SETTINGS = {
    "strict": True,
    "noEmit": True,
    "skipLibCheck": True,
    "module": "esnext",
    "moduleResolution": "bundler",
    "target": "es2022",
    "types": [],
}
_HEAD = """
import type { AnnotationQuery, Dashboard, DataTransformerConfig, FieldConfig, Panel, RowPanel, VariableModel }
  from "@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen";
type Json<T> =
  T extends string ? (string extends T ? string : `${T}`) :
  T extends number ? (number extends T ? number : `${T}` extends `${infer N extends number}` ? N : never) :
  T extends boolean | null | undefined ? T :
  T extends (infer I)[] ? Json<I>[] :
  T extends object ? { [K in keyof T]: Json<T[K]> } :
  T;
type Whole = Json<Omit<Dashboard, "panels" | "annotations" | "templating">>;
type Mark = Json<Omit<AnnotationQuery, "target">>;
type Plain = Json<Omit<Panel, "options" | "fieldConfig">>;
type Defaults = Json<Omit<FieldConfig, "custom">>;
"""


def faults(boards: Mapping[str, Mapping[str, Any]], folder: Path) -> Mapping[str, str]:
    """Return what the compiler says of each dashboard: nothing when all of it is of the types."""
    (folder / "node_modules").symlink_to(MODULES)
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": _SETTINGS, "include": ["*.ts"]}))
    for name, board in boards.items():
        (folder / f"{name}.ts").write_text(_HEAD + "\n".join(_program(board)), encoding="utf-8")
    node = shutil.which("node")
    assert node
    done = subprocess.run(
        [node, str(TYPESCRIPT), "--project", "."], cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert all(line.startswith((*(f"{name}.ts(" for name in boards), " ")) for line in lines), lines
    return {name: "\n".join(line for line in lines if line.startswith(f"{name}.ts(")) for name in boards}


def _program(board: Mapping[str, Any]) -> Iterator[str]:
    for kind, module in _PANELS.items():
        path = f"@grafana/schema/dist/esm/raw/composable/{kind.replace('-', '')}/panelcfg/x/{module}_types.gen"
        yield f'import type * as {module} from "{path}";'
    apart = ("panels", "annotations", "templating")
    yield "export {};"
    yield _claim({key: value for key, value in board.items() if key not in apart}, "Whole")
    for variable in board["templating"]["list"]:
        yield _claim(variable, "Json<VariableModel>")
    for mark in board["annotations"]["list"]:
        yield _claim({key: value for key, value in mark.items() if key != "target"}, "Mark")
    for panel in board["panels"]:
        if panel["type"] == "row":
            yield _claim({**panel, "panels": []}, "Json<RowPanel>")
            for inner in panel["panels"]:
                yield from _panel(inner)
        else:
            yield from _panel(panel)


def _panel(panel: Mapping[str, Any]) -> Iterator[str]:
    module = _PANELS[panel["type"]]
    yield _claim({key: value for key, value in panel.items() if key not in ("options", "fieldConfig")}, "Plain")
    yield _claim(panel["options"], f"Json<{module}.Options>")
    defaults = panel["fieldConfig"]["defaults"]
    yield _claim({key: value for key, value in defaults.items() if key != "custom"}, "Defaults")
    for transformation in panel.get("transformations", ()):
        yield _claim(transformation, "Json<DataTransformerConfig>")
    if panel["type"] in _WITH_FIELDS:
        yield _claim(defaults["custom"], f"Json<{module}.FieldConfig>")


def _claim(value: object, of: str) -> str:
    return f"({json.dumps(value, ensure_ascii=False)}) satisfies {of};"
