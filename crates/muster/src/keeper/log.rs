//! A terminal's log: what its program wrote, on disk, by absolute offset.
//!
//! A folder of segments, each a file of raw bytes named by the offset of its first byte. That is all the format there is: a
//! keeper that dies leaves it readable, what retention has removed is where the first file begins, and what a full disk has
//! refused is the space between two files. **Invariant: an offset names one byte for ever, or none.** Offsets go on where
//! bytes are lost, so that nobody takes one byte for another. It knows nothing of terminals.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Largest segment, and so the step in which retention removes.
pub const SEGMENT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Least retention: eight segments of 16 KiB.
const LOG_BYTES_LEAST: u64 = 128 * 1024;

/// What is at an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// This many bytes were read.
    Bytes(usize),
    /// Nothing; the next byte that exists, or the end, is there.
    Gap(u64),
    /// The log ends here.
    End,
}

#[derive(Debug)]
struct Segment {
    start: u64,
    len: u64,
}

impl Segment {
    fn end(&self) -> u64 {
        self.start + self.len
    }
}

/// The log.
#[derive(Debug)]
pub struct Log {
    dir: PathBuf,
    bytes_max: u64,
    segment_bytes: u64,
    segments: VecDeque<Segment>,
    end: u64,
    /// The newest segment, while it can be written.
    writer: Option<File>,
    /// The segment read last.
    reader: Option<(u64, File)>,
    /// Why bytes are being lost, while they are.
    fault: Option<String>,
}

impl Log {
    /// Opens the log in a folder, made if missing.
    pub fn open(dir: &Path, bytes_max: u64) -> io::Result<Log> {
        std::fs::create_dir_all(dir)?;
        let mut segments = Vec::new();
        for entry in std::fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name();
            let start = name.to_str().and_then(|name| name.strip_suffix(".log")).and_then(|name| name.parse().ok());
            let len = entry.metadata()?.len();
            if let Some(start) = start.filter(|_| len > 0) {
                segments.push(Segment { start, len });
            }
        }
        segments.sort_by_key(|segment| segment.start);
        let bytes_max = bytes_max.max(LOG_BYTES_LEAST);
        let end = segments.last().map_or(0, Segment::end);
        Ok(Log {
            dir: dir.to_owned(),
            bytes_max,
            segment_bytes: (bytes_max / 8).min(SEGMENT_BYTES_MAX),
            segments: segments.into(),
            end,
            writer: None,
            reader: None,
            fault: None,
        })
    }

    /// Oldest offset that is still there.
    pub fn oldest(&self) -> u64 {
        self.segments.front().map_or(self.end, |segment| segment.start)
    }

    /// Offset after the newest byte.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Why the newest bytes were lost, if they were.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Appends bytes. What the disk refuses is lost, and is then a gap; the program is never held up for it.
    pub fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = match self.room() {
                Ok(room) => room,
                Err(error) => return self.lose(bytes.len(), &error),
            };
            let now = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
            let Some(writer) = &mut self.writer else { return };
            let written = writer.write(now);
            match written {
                Ok(0) => self.writer = None,
                Ok(count) => {
                    self.fault = None;
                    self.end += count as u64;
                    self.segments.back_mut().into_iter().for_each(|segment| segment.len += count as u64);
                    bytes = &bytes[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // The oldest output is worth less than the newest.
                Err(error) if error.kind() == io::ErrorKind::StorageFull && self.segments.len() > 1 => {
                    self.drop_oldest()
                }
                Err(error) => return self.lose(bytes.len(), &error),
            }
        }
    }

    /// Makes sure that there is a segment to write, and says how much it takes.
    fn room(&mut self) -> io::Result<u64> {
        let newest = self.segments.back().filter(|newest| newest.end() == self.end && newest.len < self.segment_bytes);
        if let (Some(_), Some(newest)) = (&self.writer, newest) {
            return Ok(self.segment_bytes - newest.len);
        }
        self.writer = None;
        if self.segments.back().is_some_and(|newest| newest.len == 0) {
            self.segments.pop_back();
        }
        let path = self.path(self.end);
        self.writer = Some(OpenOptions::new().append(true).create(true).mode(0o600).open(path)?);
        self.segments.push_back(Segment { start: self.end, len: 0 });
        let kept = |log: &Log| log.segments.iter().map(|segment| segment.len).sum::<u64>() + log.segment_bytes;
        while self.segments.len() > 1 && kept(self) > self.bytes_max {
            self.drop_oldest();
        }
        Ok(self.segment_bytes)
    }

    fn lose(&mut self, count: usize, error: &io::Error) {
        self.fault = Some(error.to_string());
        self.writer = None;
        if let Some(empty) = self.segments.pop_back_if(|newest| newest.len == 0) {
            let _ = std::fs::remove_file(self.path(empty.start)); // It would be ignored anyway.
        }
        self.end += count as u64;
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.segments.pop_front() {
            self.reader.take_if(|(start, _)| *start == oldest.start);
            let _ = std::fs::remove_file(self.path(oldest.start)); // What cannot be removed is not served any more, either.
        }
    }

    /// Reads what is at an offset, up to the end of its segment.
    pub fn read(&mut self, from: u64, into: &mut [u8]) -> Read {
        if from >= self.end {
            return Read::End;
        }
        let after = self.segments.partition_point(|segment| segment.start <= from);
        let next = self.segments.get(after).map_or(self.end, |segment| segment.start);
        let Some(segment) = after.checked_sub(1).map(|at| &self.segments[at]).filter(|found| from < found.end()) else {
            return Read::Gap(next);
        };
        let (start, end) = (segment.start, segment.end());
        let wanted = into.len().min(usize::try_from(end - from).unwrap_or(usize::MAX));
        match self.read_in(start, from - start, &mut into[..wanted]) {
            Ok(count) if count > 0 => Read::Bytes(count),
            _ => Read::Gap(end), // Somebody took the file away.
        }
    }

    fn read_in(&mut self, start: u64, at: u64, into: &mut [u8]) -> io::Result<usize> {
        if self.reader.as_ref().is_none_or(|(open, _)| *open != start) {
            self.reader = Some((start, File::open(self.path(start))?));
        }
        let Some((_, file)) = &self.reader else { return Ok(0) };
        file.read_at(into, at)
    }

    /// Makes what was written outlive the machine.
    pub fn sync(&self) -> io::Result<()> {
        self.writer.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn path(&self, start: u64) -> PathBuf {
        self.dir.join(format!("{start:020}.log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(log: &mut Log, mut from: u64) -> (Vec<u8>, Vec<(u64, u64)>) {
        let (mut bytes, mut gaps, mut buffer) = (Vec::new(), Vec::new(), [0; 1000]);
        loop {
            match log.read(from, &mut buffer) {
                Read::Bytes(count) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    from += count as u64;
                }
                Read::Gap(to) => {
                    gaps.push((from, to));
                    from = to;
                }
                Read::End => return (bytes, gaps),
            }
        }
    }

    fn pattern(from: u64, count: usize) -> Vec<u8> {
        (from..from + count as u64).map(|n| (n % 251) as u8).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]
        #[test]
        fn what_is_kept_is_the_end_of_what_was_written(sizes in prop::collection::vec(1usize..40_000, 1..60), reopen in 0usize..60) {
            let dir = tempfile::tempdir().unwrap();
            let mut log = Log::open(dir.path(), 200_000).unwrap();
            for (index, size) in sizes.iter().enumerate() {
                if index == reopen {
                    log = Log::open(dir.path(), 200_000).unwrap();
                }
                log.append(&pattern(log.end(), *size));
            }
            let total = sizes.iter().sum::<usize>() as u64;
            prop_assert_eq!(log.end(), total);
            prop_assert!(total - log.oldest() <= 200_000 && (log.oldest() == 0 || total - log.oldest() >= 150_000));
            let oldest = log.oldest();
            let (bytes, gaps) = all(&mut log, 0);
            prop_assert_eq!(bytes, pattern(oldest, (total - oldest) as usize));
            prop_assert_eq!(gaps, if oldest > 0 { vec![(0, oldest)] } else { vec![] });
            let mut again = Log::open(dir.path(), 200_000).unwrap();
            prop_assert_eq!((again.oldest(), again.end()), (oldest, total));
            prop_assert_eq!(all(&mut again, oldest).0.len() as u64, total - oldest);
        }
    }

    #[test]
    fn what_the_disk_refuses_is_a_gap_and_the_log_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(&dir.path().join("log"), 1 << 20).unwrap();
        log.append(b"before");
        // A folder that is gone refuses every new segment, as a full disk does.
        log.writer = None;
        std::fs::rename(dir.path().join("log"), dir.path().join("away")).unwrap();
        log.append(b"lost");
        assert!(log.fault().is_some());
        std::fs::rename(dir.path().join("away"), dir.path().join("log")).unwrap();
        log.append(b"after");
        assert_eq!((log.fault(), log.end()), (None, 15));
        assert_eq!(all(&mut log, 0), (b"beforeafter".to_vec(), vec![(6, 10)]));
        let mut again = Log::open(&dir.path().join("log"), 1 << 20).unwrap();
        assert_eq!(all(&mut again, 3), (b"oreafter".to_vec(), vec![(6, 10)]));
    }

    #[test]
    fn a_full_disk_costs_the_oldest_output_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = Log::open(dir.path(), 1 << 20).unwrap();
        log.append(&pattern(0, 300_000));
        let before = log.segments.len();
        // `/dev/full` takes nothing and says that the disk is full.
        log.writer = Some(OpenOptions::new().write(true).open("/dev/full").unwrap());
        log.append(b"x");
        assert_eq!((log.segments.len(), log.end()), (1, 300_001));
        assert!(before > 1 && log.fault().is_some());
        log.append(b"y");
        assert_eq!(log.fault(), None);
    }
}
