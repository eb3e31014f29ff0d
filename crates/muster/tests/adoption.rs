//! The runner with real keepers and real programs: a terminal from open to forget, and what outlives `kill -9`.
#![allow(missing_docs)]

mod support;

use protocol::control::{RunnerCommand, RunnerMessage, Size, StopMode, TerminalReport};
use protocol::frame::{self, Frame, Kind};
use protocol::limits::CREDIT_EVERY_BYTES;
use protocol::status::Status;
use rustix::process::Signal;
use support::hub::{HubSide, ModelHub};
use support::process::Place;
use support::soon;
use tokio_tungstenite::tungstenite::Message;

const TERMINAL: u32 = 7;

fn open(agent: &str) -> RunnerCommand {
    let (name, cwd) = ("work".into(), String::new());
    RunnerCommand::Open { terminal: TERMINAL, session: 1, name, agent: agent.into(), cwd, size: Size::DEFAULT }
}

/// Opens a terminal and returns its report.
async fn opened(link: &mut HubSide, agent: &str) -> TerminalReport {
    link.command(&open(agent)).await;
    let report = link.until("opened", |message| match message {
        RunnerMessage::Opened { report } => Some(report.clone()),
        RunnerMessage::OpenFailed { message, .. } => panic!("{message}"),
        _ => None,
    });
    report.await
}

/// Waits until a status says so.
async fn status(link: &mut HubSide, wanted: impl Fn(&protocol::control::StatusReport) -> bool) {
    let search = link.until("a status", |message| match message {
        RunnerMessage::Status { report, .. } if wanted(report) => Some(()),
        _ => None,
    });
    search.await;
}

/// As after a reboot: the keeper is gone for good, which its lock tells.
async fn kill_keeper(place: &Place) {
    let dir = place.terminal(TERMINAL);
    let keeper = muster::keeper::spec::KeeperFile::load(&dir).expect("keeper.json");
    let pid = rustix::process::Pid::from_raw(keeper.pid as i32).expect("pid");
    rustix::process::kill_process(pid, Signal::KILL).expect("kill");
    let lock = std::fs::File::open(dir.join("lock")).expect("lock");
    let gone = async {
        while lock.try_lock_shared().is_err() {
            tokio::task::yield_now().await;
        }
    };
    soon("the keeper to end", gone).await;
}

/// A viewer of every byte.
struct Tail {
    bytes: Vec<u8>,
    from: u64,
    credited: u64,
}

impl Tail {
    async fn start(link: &mut HubSide, from: u64) -> Tail {
        link.command(&RunnerCommand::Stream { terminal: TERMINAL, from }).await;
        Tail { bytes: Vec::new(), from, credited: from }
    }

    fn end(&self) -> u64 {
        self.from + self.bytes.len() as u64
    }

    /// Reads until these words are among what came.
    async fn until(&mut self, link: &mut HubSide, words: &str) {
        let search = async {
            while !self.bytes.windows(words.len()).any(|window| window == words.as_bytes()) {
                let bytes = link.frame().await;
                let frame = Frame::decode(&bytes).expect("a frame");
                if frame.header.kind != Kind::Output {
                    continue;
                }
                assert_eq!(frame.header.offset, self.end(), "contiguous");
                self.bytes.extend_from_slice(&frame.raw_payload().expect("inflates"));
                if self.end() - self.credited >= CREDIT_EVERY_BYTES {
                    self.credited = self.end();
                    link.send(Message::binary(frame::credit(TERMINAL, self.credited))).await;
                }
            }
        };
        soon(words, search).await;
    }
}

fn type_in(offset: u64, text: &str) -> Message {
    Message::binary(frame::input(TERMINAL, 1, offset, text.as_bytes()))
}

#[tokio::test]
async fn a_terminal_from_open_to_forget() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let _runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    let report = opened(&mut link, "shell").await;
    assert_eq!((report.terminal, report.size), (TERMINAL, Size::DEFAULT));
    let mut tail = Tail::start(&mut link, 0).await;
    // Once the shell echoes, it reads what is typed.
    let line = "echo one-$((40+2)); env | grep -c MUSTER_TOKEN\r";
    link.send(type_in(0, line)).await;
    link.send(type_in(0, line)).await;
    tail.until(&mut link, "one-42").await;
    link.send(type_in(line.len() as u64, "echo t=$MUSTER_TERMINAL two-$((1+1))\r")).await;
    tail.until(&mut link, "t=7 two-2").await;
    let text = String::from_utf8_lossy(&tail.bytes).into_owned();
    assert_eq!(text.matches("one-42").count(), 1, "sent twice, typed once: {text}");
    assert!(text.contains("\n0\r\n"), "no token in its environment: {text}");

    // Who looks disturbs nobody: the connection and its stream go on.
    let output = place.command(&["runner", "status", "--json"]).output().await.expect("run");
    let lines: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&lines[0]["agent"], &lines[0]["keeper"]), (&"shell".into(), &true.into()));
    let typed = line.len() as u64 + "echo t=$MUSTER_TERMINAL two-$((1+1))\r".len() as u64;
    link.send(type_in(typed, "echo three-$((1+2))\r")).await;
    tail.until(&mut link, "three-3").await;

    // Opening it again opens nothing.
    let again = opened(&mut link, "shell").await;
    assert!(again.end >= tail.end());

    link.command(&RunnerCommand::Forget { terminal: TERMINAL }).await;
    let dir = place.terminal(TERMINAL);
    let gone = async {
        while dir.exists() {
            tokio::task::yield_now().await;
        }
    };
    soon("the folder to go", gone).await;
    link.command(&RunnerCommand::Unwatch { terminal: TERMINAL }).await;
    let refused =
        link.until("not_found", |m| if let RunnerMessage::Error(report) = m { Some(report.code) } else { None });
    assert_eq!(refused.await, protocol::control::ErrorCode::NotFound);
}

#[tokio::test]
async fn a_killed_runner_leaves_its_agents_at_work_and_the_next_adopts_them() {
    let mut hub = ModelHub::start().await;
    // It says its process number, then counts for as long as it is asked to.
    let place = Place::with_config(
        "[agents.count]\nkind = \"shell\"\ncommand = [\"/bin/sh\", \"-c\", '''
stty -echo; echo pid-$$.; n=0
while read line; do for i in 1 2 3 4 5 6 7 8 9 10; do n=$((n+1)); echo line-$n.; done; done''']\n",
    );
    let mut runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    opened(&mut link, "count").await;
    let mut tail = Tail::start(&mut link, 0).await;
    tail.until(&mut link, "pid-").await;
    link.send(type_in(0, "\n")).await;
    tail.until(&mut link, "line-10.").await;
    // In the middle of things: what it prints now, no runner reads.
    link.send(type_in(1, "\n\n\n")).await;
    let acked = async {
        loop {
            let bytes = link.frame().await;
            let frame = Frame::decode(&bytes).expect("a frame");
            if frame.header.kind == Kind::InputAck && frame.header.offset == 4 {
                break;
            }
        }
    };
    soon("the acknowledgement", acked).await;
    runner.signal(Signal::KILL);
    runner.ended().await;

    let _runner = place.start(&hub.url);
    let (mut link, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!(terminals.iter().map(|t| t.terminal).collect::<Vec<_>>(), [TERMINAL]);
    assert!(!terminals[0].status.has_exited(), "{:?}", terminals[0].status);
    // It takes up where it was: input sent again is not typed again, and output goes on from any offset.
    link.send(type_in(1, "\n\n\n\n")).await;
    let mut whole = Tail::start(&mut link, 0).await;
    whole.until(&mut link, "line-50.").await;
    let text = String::from_utf8_lossy(&whole.bytes).into_owned();
    assert!(whole.bytes.starts_with(&tail.bytes), "what was seen before is what was printed");
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("line-")).collect();
    assert_eq!(lines, (1..=50).map(|n| format!("line-{n}.")).collect::<Vec<_>>());
    assert_eq!(text.matches("pid-").count(), 1, "the same process");
    link.command(&RunnerCommand::Stop { terminal: TERMINAL, mode: StopMode::Kill }).await;
    status(&mut link, |report| report.has_exited()).await;
}

#[tokio::test]
async fn an_ended_terminal_is_served_also_without_its_keeper() {
    let mut hub = ModelHub::start().await;
    let place = Place::with_config("[agents.brief]\ncommand = [\"/bin/sh\", \"-c\", \"echo so-long; exit 3\"]\n");
    let mut runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    link.command(&open("brief")).await;
    let ended = link.until("its end", |message| match message {
        RunnerMessage::Opened { report } if report.status.has_exited() => Some(report.status.clone()),
        RunnerMessage::Status { report, .. } if report.has_exited() => Some(report.clone()),
        _ => None,
    });
    let ended = ended.await;
    assert_eq!((ended.status, ended.exit_code), (Status::Failed, Some(3)));
    runner.signal(Signal::KILL);
    runner.ended().await;
    kill_keeper(&place).await;

    let _runner = place.start(&hub.url);
    let (mut link, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!((terminals[0].status.status, terminals[0].status.exit_code), (Status::Failed, Some(3)));
    let mut tail = Tail::start(&mut link, 0).await;
    tail.until(&mut link, "so-long").await;
}

#[tokio::test]
async fn a_runner_that_hangs_is_replaced_at_every_keeper() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let mut stuck = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    opened(&mut link, "shell").await;
    stuck.signal(Signal::STOP);
    // Its lock is what a person would remove together with it; a state folder on a file system without locks has none.
    std::fs::remove_file(place.state().join("runner.lock")).expect("removed");
    let _runner = place.start(&hub.url);
    let (mut link, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!(terminals.len(), 1);
    let mut tail = Tail::start(&mut link, 0).await;
    link.send(type_in(0, "echo it-$((6*7))\r")).await;
    tail.until(&mut link, "it-42").await;
    stuck.signal(Signal::KILL);
    stuck.ended().await;
}

#[tokio::test]
async fn a_killed_keeper_is_told_to_the_hub() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let _runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    opened(&mut link, "shell").await;
    kill_keeper(&place).await;
    while !matches!(link.next().await, Some(Message::Close(_)) | None) {}
    let (_link, hello) = hub.welcome().await;
    let RunnerMessage::Hello { terminals, .. } = hello else { panic!() };
    assert_eq!(terminals[0].status.status, Status::Failed, "{:?}", terminals[0].status);
}

#[tokio::test]
async fn a_program_that_does_not_start_leaves_nothing() {
    let mut hub = ModelHub::start().await;
    let place = Place::new();
    let program = place.path().join("broken");
    std::fs::write(&program, "#!/no/such/interpreter\n").expect("write");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("chmod");
    let config = format!("[agents.broken]\ncommand = [\"{}\"]\n", program.display());
    std::fs::write(place.path().join("config.toml"), config).expect("config");
    let _runner = place.start(&hub.url);
    let (mut link, _) = hub.welcome().await;
    link.command(&open("broken")).await;
    let message = link.until("open_failed", |message| match message {
        RunnerMessage::OpenFailed { terminal: TERMINAL, message } => Some(message.clone()),
        _ => None,
    });
    let message = message.await;
    assert!(message.contains("could not be started"), "{message}");
    let gone = async {
        while place.terminal(TERMINAL).exists() {
            tokio::task::yield_now().await;
        }
    };
    soon("the folder to go", gone).await;
}
