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
# torch pulls platform packages of its own, so it is the one pin of this file that we choose.
compile training training.lock --constraint requirements/dev.lock --no-deps
