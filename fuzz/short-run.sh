#!/bin/sh
# Builds every fuzz target with stable Rust and runs each for a few seconds: `./short-run.sh [SECONDS] [--runner]`.
# With --runner also those that need the whole runner. The flags are what cargo-fuzz passes, without the sanitizers, which
# need a nightly compiler: coverage guides the run, and panics, overflows, hangs and greed for memory are found.
set -eu
cd "$(dirname "$0")"
seconds=10
features=
for argument in "$@"; do
    case $argument in
    --runner) features=runner ;;
    *) seconds=$argument ;;
    esac
done
host=$(rustc -vV | sed -n 's/^host: //p')
target_dir=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"
# With --target the flags stay away from build scripts, which have no fuzzer to link with.
RUSTFLAGS="$coverage" cargo build --release --bins --features "$features" --target "$host" --target-dir "$target_dir"
for source in fuzz_targets/*.rs; do
    name=$(basename "$source" .rs)
    program=$target_dir/$host/release/$name
    if [ -z "$features" ] && grep -q "use muster::" "$source"; then continue; fi
    mkdir -p "corpus/$name" "artifacts/$name"
    log=artifacts/$name.log
    if ! "$program" "corpus/$name" "seeds/$name" -max_total_time="$seconds" -max_len=70000 -timeout=10 \
        -rss_limit_mb=1024 -artifact_prefix="artifacts/$name/" -print_final_stats=1 -verbosity=0 >"$log" 2>&1; then
        cat "$log"
        echo "$name failed; what failed lies in fuzz/artifacts/$name" >&2
        exit 1
    fi
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, nothing found"
done
