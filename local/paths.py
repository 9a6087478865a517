"""Where things are in this checkout."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".local"
CLOUD_PYTHON = ROOT / ".venvs/cloud/bin/python"
RUNTIME_PYTHON = ROOT / ".venvs/runtime/bin/python"
DEV_PYTHON = ROOT / ".venv/bin/python"
UV = ROOT / ".venv/bin/uv"
SAM = ROOT / ".venvs/sam/bin/sam"
SAM_LOCK = ROOT / "requirements/sam.txt"
UNPACKED = STATE / "cache/unpacked"
