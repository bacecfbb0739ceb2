#!/bin/bash -eu
# Builds every fuzz target with the address sanitizer, into $OUT, each with its seeds and its dictionary under the names that
# ClusterFuzzLite looks for. It runs in the image of the Dockerfile; .ci/nightly runs it too.
fuzz=$(pwd)/fuzz
triple=$(rustc +nightly -vV | sed -n 's/^host: //p')
# In release mode, and with the checks that a build for tests has.
cargo +nightly fuzz build -O --debug-assertions --sanitizer address
for target in $(cargo +nightly fuzz list); do
    cp "${CARGO_TARGET_DIR:-$fuzz/target}/$triple/release/$target" "$OUT/"
    (cd "$fuzz/seeds/$target" && zip --quiet "$OUT/${target}_seed_corpus.zip" -- *)
    if [ -f "$fuzz/dictionaries/$target" ]; then cp "$fuzz/dictionaries/$target" "$OUT/$target.dict"; fi
done
