"""`kedro ...` many times in one process, as the console script calls it: a table of cases without a start for each.

Reads a JSON list of command lines from standard input, writes a list of exit status, output and errors.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
from typing import Any


def called(arguments: list[str]) -> dict[str, Any]:
    from kedro.framework.cli.cli import main

    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["kedro", *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(err)
        try:
            main()
            code: Any = 0
        except SystemExit as error:
            code = error.code
        except BaseException as error:  # the interpreter would do this, and end
            sys.excepthook(type(error), error, error.__traceback__)
            code = 1
    return {"code": code or 0, "out": out.getvalue(), "err": err.getvalue()}


if __name__ == "__main__":
    json.dump([called(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
