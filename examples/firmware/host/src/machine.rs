//! QEMU with the firmware in it: its serial line, its log, its flash, and its power.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{FileExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use sharekey::crypto::Nonce;
use sharekey::message::Challenge;
use sharekey::wire::Unverified;
use tempfile::TempDir;

use super::{Outcome, ensure};

/// Longer than anything takes, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(60);

/// A board of QEMU's that the firmware is built for.
#[derive(Clone, Copy, Debug)]
pub struct Board {
    machine: &'static str,
    /// The name of its image.
    image: &'static str,
    /// Bytes of its flash.
    flash: usize,
}

impl Board {
    /// The first.
    pub const MPS2: Self = Self { machine: "mps2-an386", image: "lock", flash: 8 * 4096 };
    /// The second.
    pub const NETDUINO: Self = Self { machine: "netduinoplus2", image: "netduino", flash: 12 * 2048 };
}

/// The firmware as it was built.
#[derive(Clone)]
pub struct Firmware {
    image: PathBuf,
    board: Board,
    /// Count instructions: the virtual clock then runs by them.
    icount: bool,
}

impl Firmware {
    /// The image at this path, for this board.
    pub fn at(image: PathBuf, board: Board) -> Outcome<Self> {
        ensure(image.is_file(), || format!("{} is missing: build the firmware first", image.display()))?;
        Ok(Self { image: image.canonicalize()?, board, icount: false })
    }

    /// What `build.sh` in the firmware's directory gives.
    pub fn built(board: Board) -> Outcome<Self> {
        let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(beside, PathBuf::from);
        Self::at(target.join("thumbv7em-none-eabi/release").join(board.image), board)
    }

    /// Where the image is.
    #[must_use]
    pub fn image(&self) -> &Path {
        &self.image
    }

    /// The same, with instructions counted.
    #[must_use]
    pub fn counting(self) -> Self {
        Self { icount: true, ..self }
    }

    fn command(&self, dir: &Path, log: &str) -> Command {
        let mut qemu = Command::new("qemu-system-arm");
        qemu.args(["-machine", self.board.machine, "-display", "none", "-monitor", "none", "-nodefaults"]);
        qemu.args(["-semihosting-config", "enable=on,target=native", "-serial", "stdio"]);
        qemu.arg("-serial").arg(format!("file:{log}")).arg("-kernel").arg(&self.image);
        if self.icount {
            qemu.args(["-icount", "shift=0,sleep=off"]);
        }
        qemu.current_dir(dir).stdin(Stdio::piped()).stdout(Stdio::piped());
        qemu
    }
}

/// When the power is cut, once a request was sent.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// After this time.
    After(Duration),
    /// Once so many words of the flash have changed.
    Words(usize),
}

/// What a cut came upon.
#[derive(Debug)]
pub struct CutShort {
    /// The answer, where it came before the cut.
    pub answer: Option<Vec<u8>>,
    /// How many words of the flash, of 4 bytes, differ from before the request.
    pub words: usize,
    /// What was logged from the boot to the cut.
    pub log: String,
    /// From the request to the cut.
    pub took: Duration,
}

/// The machine, through all its boots.
pub struct Machine {
    firmware: Firmware,
    dir: TempDir,
    running: Option<Running>,
    boots: usize,
    /// The log of the boots before.
    before: Vec<String>,
    /// Every nonce that was ever given.
    nonces: HashSet<[u8; Nonce::LEN]>,
    /// The challenges that were given with no entropy at all.
    pub without_entropy: usize,
    broken: bool,
}

/// From a boot to a cut.
struct Running {
    qemu: Child,
    line: ChildStdin,
    answers: Receiver<Vec<u8>>,
    log: PathBuf,
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.qemu.kill();
        let _ = self.qemu.wait();
    }
}

impl Machine {
    /// A machine with an erased flash, this secret on its card, and the power off.
    pub fn new(firmware: Firmware, card: &[u8; 16]) -> Outcome<Self> {
        let dir = tempfile::tempdir()?;
        fs::write(dir.path().join("flash"), vec![0xff; firmware.board.flash])?;
        fs::write(dir.path().join("card"), card)?;
        let mut machine = Self {
            firmware,
            dir,
            running: None,
            boots: 0,
            before: Vec::new(),
            nonces: HashSet::new(),
            without_entropy: 0,
            broken: false,
        };
        machine.break_entropy(false)?;
        Ok(machine)
    }

    /// The source of entropy gives the same bytes at each reading, or works.
    pub fn break_entropy(&mut self, broken: bool) -> Outcome<()> {
        let path = self.dir.path().join("entropy");
        if path.symlink_metadata().is_ok() {
            fs::remove_file(&path)?;
        }
        self.broken = broken;
        if broken { Ok(fs::write(path, [0; 32])?) } else { Ok(symlink("/dev/urandom", path)?) }
    }

    /// Somebody presses the button inside, or lets go of it.
    pub fn press_button(&self, pressed: bool) -> Outcome<()> {
        let path = self.dir.path().join("button");
        if pressed { Ok(fs::write(path, [])?) } else { Ok(fs::remove_file(path)?) }
    }

    /// Power on. Gives once the lock takes requests.
    pub fn boot(&mut self) -> Outcome<()> {
        self.start()?;
        self.await_log("ready: ")
    }

    /// Power on, and off again after a while: while it boots.
    pub fn boot_and_cut(&mut self, after: Duration) -> Outcome<()> {
        self.start()?;
        std::thread::sleep(after);
        self.cut()
    }

    fn start(&mut self) -> Outcome<()> {
        self.boots += 1;
        let name = format!("log-{}", self.boots);
        let log = self.dir.path().join(&name);
        fs::write(&log, [])?;
        // QEMU regrets there that nothing is plugged into the board's network.
        let complaints = File::create(self.dir.path().join("qemu-says"))?;
        let mut qemu = self.firmware.command(self.dir.path(), &name).stderr(complaints).spawn()?;
        let line = qemu.stdin.take().ok_or("QEMU has no input")?;
        let output = qemu.stdout.take().ok_or("QEMU has no output")?;
        let (send, answers) = mpsc::channel();
        std::thread::spawn(move || {
            let mut decoder = cobs::CobsDecoderOwned::new(1024);
            for byte in std::io::BufReader::with_capacity(1, output).bytes() {
                let Ok(byte) = byte else { return };
                // A frame that a cut tore is none.
                if let Ok(Some(length)) = decoder.feed(byte)
                    && send.send(decoder.dest()[..length].to_vec()).is_err()
                {
                    return;
                }
            }
        });
        self.running = Some(Running { qemu, line, answers, log });
        Ok(())
    }

    /// Power off, wherever the firmware is.
    pub fn cut(&mut self) -> Outcome<()> {
        let mut running = self.running.take().ok_or("the power is off already")?;
        running.qemu.kill()?;
        running.qemu.wait()?;
        let log = fs::read_to_string(&running.log)?;
        ensure(!log.contains("panic"), || format!("the firmware panicked: {log}"))?;
        self.before.push(log);
        Ok(())
    }

    /// One request, one answer.
    pub fn request(&mut self, message: &[u8]) -> Outcome<Vec<u8>> {
        self.send(message)?;
        match self.running()?.answers.recv_timeout(PATIENCE) {
            Ok(answer) => self.note(answer),
            Err(_) => Err(format!("no answer; the log: {}", self.log()?).into()),
        }
    }

    /// One request: its answer, and the reason that is logged, where it is refused.
    pub fn exchange(&mut self, message: &[u8]) -> Outcome<(Vec<u8>, Option<String>)> {
        let logged = self.log()?.len();
        let answer = self.request(message)?;
        let log = self.log()?;
        let refused = log[logged..].lines().find_map(|line| line.strip_prefix("refused"));
        Ok((answer, refused.map(|reason| reason.trim_start_matches(": ").to_owned())))
    }

    /// One request that is not answered, and the line of the log that says that it is through.
    pub fn request_silent(&mut self, message: &[u8], until: &str) -> Outcome<()> {
        self.send(message)?;
        self.await_log(until)
    }

    /// One request, and the power is cut at some moment of it.
    pub fn request_and_cut(&mut self, message: &[u8], moment: Moment) -> Outcome<CutShort> {
        let before = self.flash()?;
        let file = File::open(self.dir.path().join("flash"))?;
        self.send(message)?;
        let begin = Instant::now();
        let mut now = vec![0; before.len()];
        let mut answer = None;
        while answer.is_none() && begin.elapsed() < PATIENCE {
            match moment {
                Moment::After(time) => {
                    let left = time.saturating_sub(begin.elapsed());
                    answer = self.running()?.answers.recv_timeout(left).ok();
                    if answer.is_none() {
                        break;
                    }
                }
                Moment::Words(words) => {
                    file.read_exact_at(&mut now, 0)?;
                    if differing(&before, &now) >= words {
                        break;
                    }
                    answer = match self.running()?.answers.recv_timeout(Duration::ZERO) {
                        Ok(answer) => Some(answer),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => return Err("QEMU has ended".into()),
                    };
                }
            }
        }
        // Where the answer came first, the cut comes right after it.
        let took = begin.elapsed();
        self.running.as_mut().ok_or("the power is off")?.qemu.kill()?;
        let late = self.running()?.answers.recv_timeout(Duration::from_secs(5)).ok();
        self.cut()?;
        let answer = answer.or(late).map(|answer| self.note(answer)).transpose()?;
        let log = self.before.last().cloned().unwrap_or_default();
        Ok(CutShort { answer, words: differing(&before, &self.flash()?), log, took })
    }

    /// All that was logged, over all boots.
    pub fn log(&self) -> Outcome<String> {
        let mut log = self.before.concat();
        if let Some(running) = &self.running {
            log.push_str(&fs::read_to_string(&running.log)?);
        }
        Ok(log)
    }

    pub fn boots(&self) -> usize {
        self.boots
    }

    pub fn nonces(&self) -> usize {
        self.nonces.len()
    }

    /// A bit flips in the last place of the flash that begins so.
    pub fn flip_a_bit(&self, beginning: &[u8]) -> Outcome<()> {
        let mut flash = self.flash()?;
        let last = flash.windows(beginning.len()).rposition(|window| window == beginning);
        let bit = flash.get_mut(last.ok_or("no such record")? + beginning.len() + 3).ok_or("no such record")?;
        *bit ^= 1;
        Ok(fs::write(self.dir.path().join("flash"), flash)?)
    }

    fn flash(&self) -> Outcome<Vec<u8>> {
        Ok(fs::read(self.dir.path().join("flash"))?)
    }

    fn send(&mut self, message: &[u8]) -> Outcome<()> {
        self.send_raw(&cobs::encode_vec_including_sentinels(message))
    }

    /// Bytes on the line that need not be a frame.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Outcome<()> {
        let running = self.running.as_mut().ok_or("the power is off")?;
        running.line.write_all(bytes)?;
        Ok(running.line.flush()?)
    }

    fn running(&self) -> Outcome<&Running> {
        self.running.as_ref().ok_or_else(|| "the power is off".into())
    }

    fn await_log(&self, beginning: &str) -> Outcome<()> {
        let begin = Instant::now();
        loop {
            let log = fs::read_to_string(&self.running()?.log)?;
            if log.lines().any(|line| line.starts_with(beginning)) {
                return Ok(());
            }
            // A line is there once it has ended.
            let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
            let stopped = whole.lines().any(|line| line.starts_with("stopped"));
            ensure(begin.elapsed() < PATIENCE && !stopped, || format!("the log has no \"{beginning}\", but: {log}"))?;
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Every challenge's nonce is new.
    fn note(&mut self, answer: Vec<u8>) -> Outcome<Vec<u8>> {
        if let Ok(challenge) = Unverified::<Challenge>::parse(&answer) {
            let nonce = *challenge.claims().nonce.as_bytes();
            ensure(self.nonces.insert(nonce), || "a nonce came back".into())?;
            self.without_entropy += usize::from(self.broken);
        }
        Ok(answer)
    }
}

/// Four bytes at a time, whatever the board's word is.
fn differing(before: &[u8], now: &[u8]) -> usize {
    before.chunks(4).zip(now.chunks(4)).filter(|(before, now)| before != now).count()
}
