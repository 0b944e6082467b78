#!/bin/bash
# test.sh IMAGE: cargo tests a library with Rust 1.85 and builds a program on it, unprivileged, and it runs.
set -euo pipefail

answer=$(docker run --rm --interactive --network none "$1" bash -euo pipefail <<'EOF'
[[ $(id -u) == 65534 ]] || { echo "runs as $(id -u)" >&2; exit 1; }
rustc --version | grep -q '^rustc 1\.85\.'
cargo new --quiet --vcs none --name answer /tmp/answer && cd /tmp/answer
cat > src/lib.rs <<'RUST'
pub fn answer() -> u32 {
    [6; 7].iter().sum()
}

#[test]
fn is_42() {
    assert_eq!(answer(), 42);
}
RUST
echo 'fn main() { println!("{}", answer::answer()) }' > src/main.rs
cargo test --quiet --offline --lib >&2
cargo run --quiet --offline
EOF
)
[[ $answer == 42 ]] || { echo "answered: $answer"; exit 1; }
