//! `door lock …`

use anyhow::Context as _;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use sharekey::id::SlotId;
use sharekey::lock::{Cell, Clock, Condition};
use sharekey::message::{Connect, FactoryReset, Holding, SlotReport};
use sharekey::secret::ActivationSecret;
use sharekey::wire::Unverified;

use super::board::Build;
use super::firmware::Firmware;
use super::talk::SOMEBODY;
use crate::cli::{Card, LockCommand, Radio};
use crate::home::{CRYPTO, Home, hex};
use crate::moment;
use crate::refusal::By as _;
use crate::show::short;
use crate::wire::names::Names;

pub fn run(home: &Home, command: LockCommand) -> anyhow::Result<()> {
    match command {
        LockCommand::New { slots, no_clock, crash_after } => new(home, &Build { slots, clock: !no_clock }, crash_after),
        LockCommand::Show => show(home),
        LockCommand::PowerCut => power_cut(home),
        LockCommand::Reset { card, button, radio } => reset(home, &card, button, &radio),
    }
}

fn new(home: &Home, build: &Build, crash: Option<u64>) -> anyhow::Result<()> {
    let card = *home.draw(|rng| ActivationSecret::random(rng)).expose();
    Firmware::build(home, build, card)?;
    println!("{}", card_text(&card));
    println!("{}", qr_code(&card_text(&card))?);
    let lock = Firmware::boot(home, crash)?;
    println!("Lock {} is made. Keep its activation card: above, as text and as a QR code.", short(lock.id().key()));
    Ok(())
}

/// 32 upper-case hexadecimal digits in eight groups of four, which a QR code takes as they are.
fn card_text(card: &[u8; 16]) -> String {
    let digits = hex(card).to_uppercase();
    let groups: Vec<String> = digits.as_bytes().chunks(4).map(|group| String::from_utf8_lossy(group).into()).collect();
    groups.join("-")
}

/// Light on dark, as most terminals are; the light border belongs to it.
fn qr_code(text: &str) -> anyhow::Result<String> {
    let code = QrCode::new(text).context("no QR code of the card")?;
    Ok(code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build())
}

fn show(home: &Home) -> anyhow::Result<()> {
    let mut lock = Firmware::boot(home, None)?;
    let names = Names::gather(home)?;
    println!("lock     {}", lock.id().key());
    match lock.door.ownership() {
        Ok(owned) => {
            println!("epoch    {}", owned.epoch);
            println!("owner    {}", names.of(&owned.owner));
            println!("service  {}", names.of(&owned.service));
        }
        Err(error) => println!("owner    nobody: {error}"),
    }
    println!("clock    {}", clock_text(lock.board().clock()?));
    let bolt = lock.board().bolt()?;
    println!("bolt     {}, moved: {}", if bolt.open { "open" } else { "locked" }, bolt.moves);
    show_slots(&mut lock, &names);
    Ok(())
}

fn clock_text(clock: Clock) -> String {
    match clock {
        Clock::Absent => "none".into(),
        Clock::Unset => "not set".into(),
        Clock::At(time) => moment::show(time),
    }
}

fn show_slots(lock: &mut Firmware<'_>, names: &Names) {
    for cell in [Cell::Header, Cell::Counter] {
        if lock.door.condition(cell) == Ok(Condition::Damaged) {
            println!("record   {cell:?} is damaged: only a factory reset helps");
        }
    }
    let slots = lock.board().built.slots;
    if lock.door.ownership().is_err() {
        println!("slots    {slots}");
        return;
    }
    println!("slots    {slots}, all inactive but for:");
    for slot in (0..=u8::MAX).take(slots).map(SlotId::new) {
        match lock.door.report(slot) {
            Ok(SlotReport { holding: Holding::Inactive, .. }) => {}
            Ok(SlotReport { floor, holding: Holding::Empty }) => {
                println!("slot {slot:<3} number {floor}: open for sharing, no key");
            }
            Ok(SlotReport { floor, holding: Holding::Installed { device, .. } }) => {
                println!("slot {slot:<3} number {floor}: a key for {}", names.of(&device));
            }
            Err(error) => println!("slot {slot:<3} {error}"),
        }
    }
}

fn power_cut(home: &Home) -> anyhow::Result<()> {
    let had_time = Firmware::boot(home, None)?.board().lose_power()?;
    let time = if had_time { "its clock lost the time" } else { "there was no time to lose" };
    println!(
        "The lock lost its power and booted from its flash: open sessions are gone, {time}, every record is there."
    );
    Ok(())
}

fn reset(home: &Home, card: &Card, button: bool, radio: &Radio) -> anyhow::Result<()> {
    let mut lock = Firmware::boot(home, radio.crash_after)?;
    let before = lock.id();
    lock.button = button;
    let heard = lock.exchange(SOMEBODY, &Connect::OPERATE, radio, |challenge| {
        let challenge = Unverified::parse(challenge).by("the card's holder")?;
        Ok(FactoryReset::seal(&CRYPTO, &card.secret(), challenge.claims()).by("the card's holder")?.to_vec())
    })?;
    heard.accepted()?;
    let (before, now) = (short(before.key()), short(lock.id().key()));
    println!("Lock {before} is no more: it is lock {now} now, and nobody's. The card stays good.");
    Ok(())
}
