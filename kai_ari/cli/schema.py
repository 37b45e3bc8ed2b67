"""`kai-ari schema`: what may stand in kai.yaml, for editors."""

import argparse
from typing import Any

from kai_ari.cli.arguments import add_command
from kai_ari.config.editor import json_schema


def add(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "schema",
        summary="the JSON Schema of kai.yaml, for editors",
        what="Prints the JSON Schema of kai.yaml. Editors with a YAML language server complete keys"
        " and underline mistakes by the file that the first line of kai.yaml names.",
        examples={
            "kai-ari schema > .kai/kai.schema.json": "where the example kai.yaml looks for it",
        },
        statuses={0: "always"},
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    print(json_schema())
    return 0
