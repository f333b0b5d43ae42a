"""Catalog datasets: atomic versions with manifests, models and adapters, prompts, engines.

Catalog entries name these classes as `medo1.datasets.Table` and so on. Nothing heavy is imported here.
"""

from medo1.datasets.artifacts import VersionedArtifact
from medo1.datasets.caches import CacheDataset, DirectoryCache, WorkFolder
from medo1.datasets.directories import AdapterDirectory, Directory, ModelDirectory
from medo1.datasets.engines import EngineDataset
from medo1.datasets.external import FileFolder, HubModel, Prompt, PromptFolder
from medo1.datasets.files import Figure, Json, Page, Table

__all__ = [
    "AdapterDirectory",
    "CacheDataset",
    "Directory",
    "DirectoryCache",
    "EngineDataset",
    "Figure",
    "FileFolder",
    "HubModel",
    "Json",
    "ModelDirectory",
    "Page",
    "Prompt",
    "PromptFolder",
    "Table",
    "VersionedArtifact",
    "WorkFolder",
]
