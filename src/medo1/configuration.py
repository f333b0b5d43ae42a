"""How this project reads `conf/`: Kedro's config loader with three additions, and its arguments.

Separate from `medo1.settings`, which passes it to Kedro, so that reading the configuration does not import the half
of Kedro that runs pipelines.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from kedro.config import MissingConfigException, OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from medo1.errors import UserError
from medo1.nearest import did_you_mean

CONF_SOURCE = "conf"
BASE_ENVS = ("base", "local")  # `kedro run` without --env is an environment called local: the base with one's own keys
ROOT_VARIABLE = "MEDO1_ROOT"
DEFAULT_ROOT = "data"
LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    "config_patterns": {"lineage": ["lineage*", "lineage*/**"], "mlflow": ["mlflow*"]},
    # An environment's parameters change single values of the base's; its catalog entries replace whole ones.
    "merge_strategy": {"parameters": "soft", "globals": "soft"},
}


class ConfigurationError(UserError):
    """A file under `conf/` cannot be read, or an environment is not there."""


class Keys(dict[str, Any]):
    """Credentials by name. An absent one is empty: code that needs a key looks in the environment, then reports it.

    A pipeline that asks no teacher so runs without the teacher's key.
    """

    def __missing__(self, name: str) -> dict[str, Any]:
        return {}

    def __bool__(self) -> bool:  # Kedro puts a plain dictionary in the place of a false one
        return True


class StudyConfigLoader(OmegaConfigLoader):
    """Kedro's loader, with three things more.

    It remembers the latest one made, from which the registry reads the study's formats and arms: the graph depends on
    the parameters, and Kedro builds pipelines without handing over the environment. Every way into Kedro (run, viz,
    notebook) makes a config loader first, so this is the one place that always knows.

    It reads credentials from `conf/local` in every environment: keys have one home.

    And the globals say where things lie (`locations`), for every environment a place of its own.
    """

    latest: ClassVar[StudyConfigLoader | None] = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _refuse_unknown_environment(str(self.conf_source), self.env)
        StudyConfigLoader.latest = self
        _forget_pipelines()

    def __getitem__(self, key: str) -> dict[str, Any]:
        if key == "globals" and "globals" not in self:
            with self._told(key):
                return self._globals_with_locations()
        if key == "parameters":
            from medo1.parameters import without_removed

            return without_removed(self.written_parameters())
        if key != "credentials":
            return self._read(key)
        local = OmegaConfigLoader(self.conf_source, env="local", base_env="base", default_run_env="local")
        try:
            return Keys(local["credentials"])
        except MissingConfigException:
            return Keys()
        finally:  # the resolvers belong to all loaders: the local one's would not know this environment's globals
            self._register_globals_resolver()
            self._register_runtime_params_resolver()

    def _read(self, key: str) -> dict[str, Any]:
        """As Kedro's loader reads it.

        Raises:
            ConfigurationError: a file cannot be read: bad YAML, a value that refers to nothing, a key written twice.
        """
        with self._told(key):
            found: dict[str, Any] = super().__getitem__(key)
        return found

    @contextmanager
    def _told(self, key: str) -> Iterator[None]:
        try:
            yield
        except (YAMLError, OmegaConfBaseException, ValueError, TypeError, AttributeError) as error:
            raise ConfigurationError(self._unreadable(key) or _unresolved(error, key)) from error

    def _unreadable(self, key: str) -> str | None:
        """What is wrong with the first of the files of a key that is not YAML: its name, the line, the reason."""
        environments = (self.base_env, self.env or self.default_run_env)
        for folder in [Path(self.conf_source) / str(name) for name in environments]:
            for path in sorted({path for pattern in self.config_patterns[key] for path in folder.glob(pattern)}):
                if path.suffix not in (".yml", ".yaml", ".json"):
                    continue
                try:
                    OmegaConf.load(path)
                except MarkedYAMLError as error:
                    mark = error.problem_mark
                    at = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
                    what = " ".join(part for part in (error.context, error.problem) if part)
                    return f"{path}{at}: this is not YAML: {what}"
                except (YAMLError, UnicodeDecodeError) as error:
                    return f"{path}: this is not YAML in UTF-8: {error}"
        return None

    def written_parameters(self) -> dict[str, Any]:
        """The parameters with the formats and arms that are null. A run is recorded with them: run again from its
        record alone, it must take away the same ones."""
        return self._read("parameters")

    def file_parameters(self) -> dict[str, Any]:
        """The parameters as the files alone have them, without those of this run."""
        given: dict[str, Any] = vars(self)["runtime_params"] or {}
        self.runtime_params = {}
        try:
            self._register_runtime_params_resolver()
            return self["parameters"]
        except ConfigurationError:
            return {}  # the files leave to each run what some value is
        finally:
            self.runtime_params = given
            self._register_runtime_params_resolver()

    def has_key(self, name: str) -> bool:
        """Whether there is a key under an entry of the credentials, or in an environment variable of this name."""
        entry = self["credentials"][name]
        return bool(isinstance(entry, dict) and entry.get("api_key")) or bool(os.environ.get(name))

    def _globals_with_locations(self) -> dict[str, Any]:
        """The globals of base and environment, in which `${place}` and its like stand for where things lie."""
        base, own, *_ = self._read_raw_config("globals")
        given: Any = OmegaConf.merge({}, *base.values(), *own.values())
        root = os.environ.get(ROOT_VARIABLE) or given.get("root") or DEFAULT_ROOT
        whole = OmegaConf.merge(locations(str(root), self.env or self.default_run_env), given, {"root": str(root)})
        OmegaConf.clear_resolver("runtime_params")  # as Kedro does: globals are the same for every call
        found: dict[str, Any] = OmegaConf.to_container(whole, resolve=True)  # type: ignore[assignment]
        self._register_runtime_params_resolver()
        return found


def locations(root: str, env: str) -> dict[str, str]:
    """Where an environment's things lie, by the one root of a study.

    Args:
        root: a folder (of the project, or absolute) or a URL that fsspec knows.
        env: the environment; base and local are one.

    Returns:
        `place`, what its runs save; `disk`, the same on this machine's disk, for what cannot lie in a bucket; and
        `shared`, on disk, what all environments have in common.
    """
    root = root.rstrip("/") or "/"
    shared = DEFAULT_ROOT if "://" in root else root
    own = "" if env in BASE_ENVS else f"/{env}"
    return {"root": root, "place": f"{root}{own}", "disk": f"{shared}{own}", "shared": shared}


def _refuse_unknown_environment(conf_source: str, env: str | None) -> None:
    """An error for an environment that has no folder, naming the nearest."""
    source = Path(conf_source)
    is_name = env is not None and Path(env).name == env
    if not env or env in BASE_ENVS or not source.is_dir() or (is_name and (source / env).is_dir()):
        return
    known = sorted(path.name for path in source.iterdir() if path.is_dir() and not path.name.startswith("."))
    raise ConfigurationError(
        f"There is no environment {env!r}: no folder {source.name}/{env}. {did_you_mean(env, known)}"
    )


def _unresolved(error: Exception, key: str) -> str:
    """Why files that are YAML cannot be read: the key whose value refers to nothing, first."""
    text = str(error)
    if isinstance(error, OmegaConfBaseException):
        where = f"{error.full_key}: " if error.full_key else ""
        return f"The {key} cannot be read: {where}{text.splitlines()[0]}"
    return f"The {key} cannot be read: {text}"


def _forget_pipelines() -> None:
    """Have the pipelines built again for this loader's environment and parameters, keeping which were asked for."""
    if "kedro.framework.project" not in sys.modules:
        return  # who has not imported Kedro's registry has built nothing, and need not import it for this
    from kedro.framework.project import pipelines

    requested = pipelines._requested_pipelines
    pipelines.configure("medo1.pipeline_registry")
    pipelines.set_requested(requested)


def project_loader(project: Path, env: str | None) -> StudyConfigLoader:
    """The config loader that Kedro would make for this environment of the project, without Kedro's settings."""
    return StudyConfigLoader(str(project / CONF_SOURCE), env=env, **LOADER_ARGS)
