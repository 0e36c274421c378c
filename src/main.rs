//! Hands over to the command.

/// Cheaper than the system's where one thread makes what another drops, as hits are; measured, see docs/adr/0006.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    tributary::cli::main()
}
