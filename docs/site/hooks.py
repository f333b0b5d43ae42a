"""What the site adds to the pages of docs/: the references, files outside docs/ that pages link to, the pages of
declared studies, a run's report.

MkDocs calls these functions (`hooks` in mkdocs.yml). Nothing that is made here is kept in the repository: it comes from
the code, the configuration and the latest run as they are when the site is built.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]

LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)]*)?\))")
STUDY = re.compile(r"(?<=\]\()(\w+/)verdicts\.json(?=\))")  # a study's verdicts, which its page shows
LANGUAGES = {".py": "python", ".yml": "yaml", ".toml": "toml", ".sh": "bash"}


def on_files(files: Files, config: Any) -> Files:
    """Add the references, the studies' pages, and the latest report of the embedded world where there is one."""
    sys.path.insert(0, str(Path(__file__).parent))  # MkDocs keeps what a hook adds at its own import from lasting
    import catalog_page
    import commands_page
    import parameters_page
    import study_pages

    pages = {
        "reference/parameters.md": parameters_page.page(ROOT),
        "reference/catalog.md": catalog_page.page(ROOT),
        "reference/commands.md": commands_page.page(),
        "report.md": _about_the_report(),
    }
    for name in sorted(_linked_outside(files)):
        pages[_address(name)] = _shown(ROOT / name)
    for address, text in pages.items():
        files.append(File.generated(config, address, content=text))
    for address, text in study_pages.pages(ROOT):
        if (there := files.get_file_from_path(address)) is not None:  # of `kedro study`, not kept in the repository
            files.remove(there)
        files.append(File.generated(config, address, content=text))
    for file in _report():
        files.append(File.generated(config, f"live/{file[0]}", abs_src_path=str(file[1])))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Send links that leave docs/ to the copies that the site has of what they lead to."""
    here = posixpath.dirname(page.file.src_uri)
    if here == "results":
        markdown = STUDY.sub(r"\1index.html", markdown)

    def inside(found: re.Match[str]) -> str:
        name = _outside(found.group(2), here)
        if name is None:
            return found.group(0)
        return f"{found.group(1)}{posixpath.relpath(_address(name), here or '.')}{found.group(3)}"

    return LINK.sub(inside, markdown)


def _outside(link: str, here: str) -> str | None:
    """The file, from the project's root, that a link out of docs/ leads to."""
    if "://" in link or link.startswith("mailto:"):
        return None
    name = posixpath.normpath(posixpath.join("docs", here, link))
    return None if name.startswith("docs/") or not (ROOT / name).is_file() else name


def _linked_outside(files: Files) -> set[str]:
    found: set[str] = set()
    for file in files.documentation_pages():
        text = Path(file.abs_src_path).read_text(encoding="utf-8")
        links = (_outside(link[1], posixpath.dirname(file.src_uri)) for link in LINK.findall(text))
        found |= {name for name in links if name is not None}
    return found


def _address(name: str) -> str:
    return f"files/{name}" if name.endswith(".md") else f"files/{name}.md"


def _shown(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        # Its own links start from the root: those into docs/ stay, others become plain text.
        def moved(found: re.Match[str]) -> str:
            target = found.group(2)
            if target.startswith("docs/"):
                return f"{found.group(1)}{posixpath.relpath(target.removeprefix('docs/'), 'files')}{found.group(3)}"
            return found.group(0) if "://" in target else f"{found.group(1)}https://arxiv.org/abs/2501.06458)"

        return LINK.sub(moved, text)
    return f"# {path.name}\n\n````{LANGUAGES.get(path.suffix, 'text')}\n{text}\n````\n"


def _report() -> list[tuple[str, Path]]:
    """The files of the newest report under data/, each with its address."""
    versions = sorted(ROOT.glob("data/**/08_reporting/report.html/*/report.html"), key=lambda path: path.parent.name)
    if not versions:
        return []
    folder = versions[-1].parent
    return [
        (str(file.relative_to(folder)), file)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith((".", "manifest"))
    ]


def _about_the_report() -> str:
    if not _report():
        return (
            "# A run's report\n\nThe site was built where no run was kept. `make demo`, then `make docs`: the report "
            "of that run, with its explorer of cases, then stands here.\n"
        )
    return (
        "# A run's report\n\nThe page that a run ends with, of the latest run on the machine where the site was built, "
        "as it was saved: one file, no request to anywhere.\n\n"
        "[Open it on a page of its own](live/report.html){ .md-button }\n\n"
        '<iframe src="live/report.html" title="The report of a run" '
        'style="width:100%;height:80vh;border:1px solid #8888"></iframe>\n'
    )
