//! Hands over to the command.

fn main() -> std::process::ExitCode {
    tributary::cli::main()
}
