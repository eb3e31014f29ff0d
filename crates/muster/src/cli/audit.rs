//! `muster audit verify`: reads exported lines and says whether the chain holds, or which entry breaks it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use protocol::audit::{Check, Head, Summary};

use super::VerifyArgs;

/// Longest line: an entry at all its bounds, every character escaped to six, stays below it.
const LINE_BYTES_MAX: u64 = 128 * 1024;

/// What holds, in words; an error names what breaks it.
pub fn verify(args: &VerifyArgs) -> anyhow::Result<String> {
    let mut check = args.after.clone().map_or_else(Check::new, Check::after);
    if let Some(head) = &args.head {
        check = check.expecting(head.trim());
    }
    for file in &args.files {
        read(file, &mut check)?;
    }
    let summary = check.finish().context("the audit log does not hold")?;
    Ok(told(&summary))
}

/// `12:9f86…`, as the page and the header of an export name the head.
pub fn parse_head(text: &str) -> Result<Head, String> {
    let (seq, hash) = text.split_once([':', ' ']).ok_or("write it as NUMBER:HASH")?;
    let seq = seq.parse().map_err(|_| "the number is not a number")?;
    let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hash {
        return Err("the hash is not 64 hexadecimal digits".into());
    }
    Ok(Head { seq, hash: hash.to_ascii_lowercase() })
}

fn told(Summary { chain, first, entries, head }: &Summary) -> String {
    let chain = match chain {
        protocol::audit::Chain::Deployment => "the deployment's audit log",
        protocol::audit::Chain::Hub => "a hub's audit log",
    };
    format!(
        "The chain holds: {entries} entries of {chain}, {first} to {}.\nHead: {}:{}\n",
        head.seq, head.seq, head.hash
    )
}

fn read(file: &Path, check: &mut Check) -> anyhow::Result<()> {
    if file == Path::new("-") {
        return lines(std::io::stdin().lock(), check).context("standard input");
    }
    let opened = File::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    lines(BufReader::new(opened), check).with_context(|| file.display().to_string())
}

fn lines(mut reader: impl BufRead, check: &mut Check) -> anyhow::Result<()> {
    let mut line = Vec::new();
    loop {
        line.clear();
        reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        if line.len() as u64 == LINE_BYTES_MAX {
            anyhow::bail!("a line is longer than any entry");
        }
        let text = std::str::from_utf8(&line).context("not an audit log")?;
        check.line(text).context("the audit log does not hold")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::audit::START;

    #[test]
    fn a_head_is_a_number_and_a_hash() {
        let hash = "A".repeat(64);
        assert_eq!(parse_head(&format!("7:{hash}")), Ok(Head { seq: 7, hash: "a".repeat(64) }));
        assert_eq!(parse_head(&format!("0 {START}")), Ok(Head::default()));
        for wrong in ["", "7", "x:y", "7:abc", &format!("-1:{hash}"), &format!("7:{}g", "a".repeat(63))] {
            assert!(parse_head(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_endless_line_is_refused() {
        let endless = std::io::BufReader::new(std::io::repeat(b' '));
        assert!(lines(endless, &mut Check::new()).unwrap_err().to_string().contains("longer"));
    }
}
