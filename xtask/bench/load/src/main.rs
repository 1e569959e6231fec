//! `bench-load JOB`: does the job, and prints its report as the last line.

use std::process::ExitCode;

fn main() -> ExitCode {
    match run() {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(target_os = "linux")]
fn run() -> anyhow::Result<String> {
    use anyhow::Context;

    let job = std::env::args().nth(1).context("the job is missing: bench-load JSON")?;
    let job = serde_json::from_str(&job).context("the job is not one")?;
    Ok(serde_json::to_string(&bench_load::run(&job)?)?)
}

#[cfg(not(target_os = "linux"))]
fn run() -> anyhow::Result<String> {
    anyhow::bail!("the bench measures with epoll and /proc, which are Linux's")
}
