//! The matrix as tests: `cargo test` and `cargo nextest run` see the same trials as `harness run`.

fn main() -> std::process::ExitCode {
    harness::cli::test_main()
}
