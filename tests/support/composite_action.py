"""Runs a composite action as GitHub's runner does: its shell steps with bash, its files, its rules.

`run:` steps are run for real. Of `uses:` only the cache is known: a folder takes its place, with
the same rules for keys. An expression that is not understood is an error.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_TOKEN = re.compile(r"\s*('(?:[^']|'')*'|&&|\|\||==|!=|!|\(|\)|,|[A-Za-z_][\w.-]*)")


@dataclass(kw_only=True)
class ActionRun:
    """One run of the action: what it printed, its outputs, and whether it failed."""

    log: str = ""
    exit_code: int = 0
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    ran: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """A runner with its folders; `caches` outlives runs, as GitHub's cache does."""

    action: Path
    workspace: Path
    temp: Path
    caches: Path
    environment: Mapping[str, str]

    def run(self, inputs: Mapping[str, str], github: Mapping[str, Any]) -> ActionRun:
        """Run every step whose condition holds; after a failure only those that ask for it."""
        document = yaml.safe_load(self.action.read_text(encoding="utf-8"))
        shutil.rmtree(self.temp, ignore_errors=True)
        self.temp.mkdir(parents=True)
        values = {name: str(each.get("default", "")) for name, each in document["inputs"].items()}
        assert inputs.keys() <= values.keys()
        context: dict[str, Any] = {
            "inputs": values | dict(inputs),
            "github": {"action_path": str(self.action.parent), **github},
            "runner": {"temp": str(self.temp)},
            "steps": {},
        }
        result = ActionRun()
        paths = [self.environment["PATH"]]
        for step in document["runs"]["steps"]:
            self._step(step, context, result, paths)
        for name, each in document["outputs"].items():
            result.outputs[name] = _filled(each["value"], context)
        return result

    def _step(
        self, step: dict[str, Any], context: dict[str, Any], result: ActionRun, paths: list[str]
    ) -> None:
        condition = str(step.get("if", "success()"))
        if "cancelled()" not in condition and result.exit_code:
            return
        if not _truth(_Parser(condition, context).value()):
            return
        result.ran.append(step["name"])
        if "uses" in step:
            given = {name: _filled(text, context) for name, text in step["with"].items()}
            self._cache(step["uses"], given)
            return
        outputs = self._shell(step, context, result, paths)
        if "id" in step:
            context["steps"][step["id"]] = {"outputs": outputs}

    def _shell(
        self, step: dict[str, Any], context: dict[str, Any], result: ActionRun, paths: list[str]
    ) -> dict[str, str]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression in a script is a way to inject one"
        names = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH")
        files = {name: self.temp / f"_{name}" for name in names}
        for path in files.values():
            path.write_text("")
        script = self.temp / "_script.sh"
        script.write_text(step["run"])
        environment = {
            **self.environment,
            **{name: str(path) for name, path in files.items()},
            **{name: _filled(str(text), context) for name, text in step.get("env", {}).items()},
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_ACTIONS": "true",
            "RUNNER_TEMP": str(self.temp),
            "PATH": os.pathsep.join(paths),
        }
        folder = self.workspace / _filled(step.get("working-directory", "."), context)
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        result.log += done.stdout + done.stderr
        result.exit_code = result.exit_code or done.returncode
        result.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        for line in files["GITHUB_PATH"].read_text().splitlines():
            paths.insert(0, line)
        return _outputs(files["GITHUB_OUTPUT"].read_text())

    def _cache(self, action: str, given: dict[str, str]) -> None:
        place = self.caches / given["key"]
        path = Path(given["path"])
        if action == "actions/cache/save@v4":
            if path.exists() and not place.exists():
                self.caches.mkdir(exist_ok=True)
                shutil.copy(path, place)
        elif action == "actions/cache/restore@v4":
            found = [place] if place.exists() else []
            for prefix in given.get("restore-keys", "").split():
                newest = sorted(self.caches.glob(f"{prefix}*"), key=lambda p: -p.stat().st_mtime_ns)
                found.extend(newest)
            if found:
                shutil.copy(found[0], path)
        else:
            raise AssertionError(f"no stand-in for {action}")


def _outputs(text: str) -> dict[str, str]:
    """Read what a step wrote to GITHUB_OUTPUT: `NAME=VALUE` and values between delimiters."""
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, several, delimiter = line.partition("<<")
        if several and "=" not in name:
            value: list[str] = []
            for inner in lines:
                if inner == delimiter:
                    break
                value.append(inner)
            outputs[name] = "\n".join(value)
        else:
            name, equals, single = line.partition("=")
            assert equals, f"GITHUB_OUTPUT has the line {line!r}"
            outputs[name] = single
    return outputs


def _filled(text: str, context: Mapping[str, Any]) -> str:
    def value(match: re.Match[str]) -> str:
        found = _Parser(match[1], context).value()
        return "" if found is None else str(found)

    return _EXPRESSION.sub(value, text)


def _truth(value: object) -> bool:
    return value not in {None, "", False}


class _Parser:
    """The part of GitHub's expressions that the action uses: paths, text, logic, functions."""

    def __init__(self, text: str, context: Mapping[str, Any]) -> None:
        body = text.strip().removeprefix("${{").removesuffix("}}")
        self._tokens = _TOKEN.findall(body)
        assert "".join(self._tokens) == re.sub(r"\s+(?=(?:[^']*'[^']*')*[^']*$)", "", body), text
        self._context = context
        self._functions: dict[str, Callable[..., Any]] = {
            "success": lambda: True,
            "cancelled": lambda: False,
            "format": lambda pattern, *values: pattern.format(*values),
        }

    def value(self) -> Any:
        found = self._either()
        assert not self._tokens, self._tokens
        return found

    def _next(self, *wanted: str) -> str | None:
        return self._tokens.pop(0) if self._tokens and self._tokens[0] in wanted else None

    def _either(self) -> Any:
        left = self._both()
        while self._next("||"):
            right = self._both()
            left = left if _truth(left) else right
        return left

    def _both(self) -> Any:
        left = self._compared()
        while self._next("&&"):
            right = self._compared()
            left = right if _truth(left) else left
        return left

    def _compared(self) -> Any:
        left = self._single()
        operator = self._next("==", "!=")
        if operator:
            return (left == self._single()) == (operator == "==")
        return left

    def _single(self) -> Any:
        if self._next("!"):
            return not _truth(self._single())
        if self._next("("):
            found = self._either()
            assert self._next(")")
            return found
        token = self._tokens.pop(0)
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if self._next("("):
            return self._call(token)
        found = self._context
        for part in token.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def _call(self, name: str) -> Any:
        arguments: list[Any] = []
        while not self._next(")"):
            arguments.append(self._either())
            self._next(",")
        return self._functions[name](*arguments)
