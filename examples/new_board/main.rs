//! A lock on a new board, whole: a store, a clock and a loop. Here the store is a folder, with the card's 16 bytes in its
//! file `card`; a frame is a datagram, and the button inside is pressed while there is a file `button`.
#![allow(clippy::print_stdout, reason = "a program, not the library")]

use sharekey::crypto::Ring;
use sharekey::limits::Timestamp;
use sharekey::lock::{self, Battery, Cell, Clock, Effect, Found, MAX_REQUEST, Now, PhysicalPresence, Record, SLOTS};
use sharekey::secret::ActivationSecret;
use std::{error::Error, fs, io, net::UdpSocket, path::PathBuf, time::Instant};

struct Board(PathBuf, Option<(Timestamp, Instant)>);

impl lock::Store for Board {
    type Error = io::Error;

    fn put(&mut self, record: &Record) -> io::Result<()> {
        let (new, cell) = (self.0.join("new"), self.0.join(record.cell().key().to_string()));
        fs::write(&new, record.as_bytes()).and_then(|()| fs::File::open(&new)?.sync_all())?;
        fs::rename(new, cell).and_then(|()| fs::File::open(&self.0)?.sync_all())
    }

    fn read<T>(&mut self, cell: Cell, look: impl FnOnce(Found<'_>) -> T) -> T {
        match fs::read(self.0.join(cell.key().to_string())) {
            Ok(bytes) => look(Found::Bytes(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => look(Found::Nothing),
            Err(_) => look(Found::Unreadable),
        }
    }
}

impl lock::Board for Board {
    fn set_clock(&mut self, to: Option<Timestamp>) -> io::Result<()> {
        self.1 = to.map(|to| (to, Instant::now()));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let (begin, folder) = (Instant::now(), PathBuf::from(std::env::args_os().nth(1).ok_or("say the lock's folder")?));
    let card = ActivationSecret::from_bytes(fs::read(folder.join("card"))?.as_slice().try_into()?);
    let (radio, mut buffer) = (UdpSocket::bind("127.0.0.1:0")?, [0; MAX_REQUEST]);
    let rng = &mut rand_core::UnwrapErr(getrandom::SysRng);
    let mut door = lock::Door::<_, _, SLOTS>::boot(Ring, card, Board(folder.clone(), None), rng)?;
    println!("lock {} at {}", door.lock().id().key(), radio.local_addr()?);
    loop {
        let (length, phone) = radio.recv_from(&mut buffer)?;
        let set = door.board().1.and_then(|(to, at)| to.unix_seconds().checked_add(at.elapsed().as_secs()));
        let clock = set.map_or(Clock::Unset, |seconds| Clock::At(Timestamp::from_unix_seconds(seconds)));
        let ticks = u64::try_from(begin.elapsed().as_millis())?;
        let now = Now { ticks, clock, battery: Battery::UNKNOWN };
        let presence = folder.join("button").exists().then(PhysicalPresence::button_is_pressed);
        // What was not written is not answered.
        let Ok(served) = door.serve(buffer.get(..length).unwrap_or_default(), now, presence, rng) else { continue };
        match served.effect() {
            Effect::Bolt { action, by } => println!("the bolt: {action:?}, on the word of {by:?}"),
            Effect::Nothing | Effect::Refused(_) => {}
            Effect::Reset => continue,
        }
        radio.send_to(served.answer(), phone)?;
    }
}
