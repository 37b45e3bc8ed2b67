"""Arguments that every command takes: `add_parser(..., parents=[COMMON])`."""

import argparse
from pathlib import Path

DEFAULT_CONFIG = Path("kai.yaml")

COMMON = argparse.ArgumentParser(add_help=False)
COMMON.add_argument(
    "-c",
    "--config",
    type=Path,
    metavar="FILE",
    default=argparse.SUPPRESS,
    help="the configuration to use (default: kai.yaml in this directory)",
)
