#!/usr/bin/env bash
# Resolves pyproject.toml into exact pins: one lock a part, all cut from one resolution.
set -euo pipefail
cd "$(dirname "$0")/.."
compile() { # extra, output, further options
    local extra=$1 output=$2
    shift 2
    uv pip compile pyproject.toml --extra "$extra" --universal --python-version 3.11 \
        --no-emit-index-url --no-emit-find-links --quiet --output-file "requirements/$output" \
        --custom-compile-command "make lock" "$@"
}
compile dev dev.lock --generate-hashes --upgrade
for part in local service worker client; do
    compile "$part" "$part.lock" --generate-hashes --constraint requirements/dev.lock
done
# Left to torch itself: the CUDA packages that only its registry build pins (and exactly).
mapfile -t cuda < <(uv pip compile pyproject.toml --extra training --universal \
    --python-version 3.11 --quiet --no-annotate --no-header |
    sed -nE 's/^((nvidia|cuda|triton)[a-z0-9-]*)==.*/--no-emit-package=\1/p')
compile training training.lock --constraint requirements/dev.lock "${cuda[@]}"
