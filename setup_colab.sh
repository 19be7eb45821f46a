#!/usr/bin/env bash
# On Google Colab, in a cell:  !bash setup_colab.sh  in a clone,
#                          or  !bash setup_colab.sh cs_vis-VERSION-py3-none-any.whl
# Students, who have no clone, need only:  %pip install cs_vis-VERSION-py3-none-any.whl
# Colab has PyTorch, NumPy and nearly everything else; pip adds what is missing.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
python3 -m pip install --quiet --disable-pip-version-check "${1:-$here}"
cd /  # so that the installed package is tried, not the clone
python3 -m cs_vis doctor
echo "Ready. If cs_vis was imported before, restart the session (Runtime menu) first."
