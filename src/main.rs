//! The program; see [`lakeveil::cli`].

// large buffers come and go for every row group: the system's allocator would have each zeroed by the kernel again
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    lakeveil::cli::run(std::env::args_os())
}
