//! The program; see [`lakeveil::cli`].

fn main() -> std::process::ExitCode {
    lakeveil::cli::run(std::env::args_os())
}
