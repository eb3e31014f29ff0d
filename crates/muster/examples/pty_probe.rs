//! For the benchmarks: how long until a program on a PTY has painted, and in how many bytes.
//!
//! `pty_probe COLS ROWS MARK PROGRAM [ARG]...` starts the program on a PTY of that size, waits until MARK shows in what it
//! writes, and until it then has been quiet for a moment. Prints `{"ms":..,"bytes":..}`: milliseconds from before the start
//! until MARK, and all bytes. Measures `tmux attach`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// The program has painted when it has been quiet for this long after the mark.
const QUIET: Duration = Duration::from_millis(100);
/// It fails when the mark has not shown after this long.
const DEADLINE: Duration = Duration::from_secs(30);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(cols), Some(rows), Some(mark), Some(program)) = (args.next(), args.next(), args.next(), args.next())
    else {
        bail!("usage: pty_probe COLS ROWS MARK PROGRAM [ARG]...");
    };
    let size = pty_process::Size::new(rows.parse()?, cols.parse()?);
    let started = Instant::now();
    let (mut pty, pts) = pty_process::open()?;
    pty.resize(size)?;
    let _child = pty_process::Command::new(program).args(args).kill_on_drop(true).spawn(pts)?;

    let mut seen = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut painted = None;
    loop {
        let wait = if painted.is_some() { QUIET } else { DEADLINE };
        let Ok(read) = timeout(wait, pty.read(&mut buffer)).await else { break };
        // A PTY whose other side has closed reads as an error on Linux.
        let Ok(count) = read else { break };
        let searched = seen.len().saturating_sub(mark.len());
        seen.extend_from_slice(&buffer[..count]);
        if painted.is_none() && seen[searched..].windows(mark.len()).any(|window| window == mark.as_bytes()) {
            painted = Some(started.elapsed());
        }
    }
    let painted = painted.with_context(|| format!("{mark} did not show in {} bytes", seen.len()))?;
    println!(r#"{{"ms":{:.3},"bytes":{}}}"#, painted.as_secs_f64() * 1000.0, seen.len());
    Ok(())
}
