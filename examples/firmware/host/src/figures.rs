//! The figures of the firmware, as a page of Markdown.

use std::path::Path;

use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;

use super::door::{Door, Measured};
use super::image::{Image, Sizes};
use super::machine::Firmware;
use super::{Outcome, ensure, entropy};
use sharekey_apps::cloud::Cloud;
use sharekey_apps::phone::{GuestPhone, OwnerPhone};
use sharekey_apps::story::Door as _;

/// The images, as `figures.sh` builds them into one directory.
pub struct Images<'a>(pub &'a Path);

/// Openings that are really made, to scale from.
const OPENINGS: u32 = 500;
const A_DAY: u32 = 50;
const ENDURANCE: f64 = 10_000.0;
const PAGES: f64 = 8.0;

impl Images<'_> {
    fn sizes(&self, name: &str) -> Outcome<Sizes> {
        Image::read(&self.0.join(name))?.sizes()
    }

    fn firmware(&self, name: &str) -> Outcome<Firmware> {
        Firmware::at(self.0.join(name))
    }
}

/// Measures, and prints.
///
/// # Errors
/// The first measurement that cannot be made.
pub fn print(images: &Images<'_>) -> Outcome<()> {
    print_flash(images)?;
    print_panics(images)?;
    let mut house = House::new(images.firmware("measured")?.counting())?;
    let requests = house.requests()?;
    print_requests(&requests)?;
    print_ram(&house, &requests)?;
    print_year(&mut house)
}

fn print_flash(images: &Images<'_>) -> Outcome<()> {
    println!("## Flash and static RAM, bytes\n");
    println!("| image | text | rodata | data | bss | flash |\n|---|---|---|---|---|---|");
    let (lock, quiet, bare) = (images.sizes("lock")?, images.sizes("quiet")?, images.sizes("bare")?);
    for (name, sizes) in [("the lock", lock), ("the lock, refusals without words", quiet), ("the board alone", bare)] {
        let Sizes { text, rodata, data, bss } = sizes;
        println!("| {name} | {text} | {rodata} | {data} | {bss} | {} |", sizes.flash());
    }
    let role = quiet.flash() - bare.flash();
    println!("\nThe lock's role, without words for refusals: {role} bytes, {:.1} KiB; gate 40 KiB.\n", kib(role));
    Ok(())
}

fn print_panics(images: &Images<'_>) -> Outcome<()> {
    let places = Image::read(&images.0.join("lock"))?.panics()?;
    let (ours, theirs): (Vec<_>, Vec<_>) = places.into_iter().partition(super::image::Place::is_ours);
    println!("## Places where the compiler could not rule a panic out\n");
    println!("In this project: {}. In dependencies and in core: {}.\n", ours.len(), theirs.len());
    for place in ours.iter().chain(&theirs) {
        println!("- {}:{}", place.file, place.line);
    }
    println!();
    Ok(())
}

/// A lock, its owner and a guest.
struct House {
    door: Door,
    cloud: Cloud,
    owner: OwnerPhone,
    guest: GuestPhone,
}

const UNLIMITED: SlotId = SlotId::new(0);
const LIMITED: SlotId = SlotId::new(1);
const FREE: SlotId = SlotId::new(2);

impl House {
    fn new(firmware: Firmware) -> Outcome<Self> {
        let card = ActivationSecret::random(&mut entropy());
        let mut door = Door::make(firmware, &card)?;
        let (mut cloud, mut owner) = (Cloud::new()?, OwnerPhone::new()?);
        owner.provision(&mut door, &card, &mut cloud)?;
        Ok(Self { door, cloud, owner, guest: GuestPhone::new()? })
    }

    /// Every kind of request, measured.
    fn requests(&mut self) -> Outcome<Vec<(&'static str, Measured)>> {
        let mut requests = vec![("provision", self.door.measured()?)];
        self.activate(UNLIMITED)?;
        requests.push(("command: activate", self.door.measured()?));
        self.activate(LIMITED)?;
        let Self { door, cloud, owner, .. } = self;
        owner.order(door, cloud, Order::Inspect { slot: UNLIMITED })?;
        requests.push(("command: inspect", door.measured()?));
        self.download(UNLIMITED, Limits::NONE)?;
        requests.push(("install", self.door.measured()?));
        self.guest.open(&mut self.door, Action::Open)?;
        requests.push(("unlock", self.door.measured()?));
        requests.push(("challenge", self.door.measured_before()?));
        self.download(LIMITED, Limits::NONE.uses(u32::MAX)?)?;
        self.guest.open(&mut self.door, Action::Open)?;
        requests.push(("unlock, uses limited", self.door.measured()?));
        Ok(requests)
    }

    fn activate(&mut self, slot: SlotId) -> Outcome<()> {
        let Self { door, cloud, owner, .. } = self;
        owner.order(door, cloud, Order::Activate { slot })?;
        Ok(())
    }

    fn download(&mut self, slot: SlotId, limits: Limits) -> Outcome<()> {
        let code = self.owner.share_by_code(&mut self.cloud, slot, Rights::OPEN_AND_LOCK, limits)?;
        self.guest = GuestPhone::typing(&code)?;
        self.guest.download(&mut self.door, &mut self.cloud)
    }

    /// Words and erased pages of so many openings, challenges included.
    fn open(&mut self) -> Outcome<(u32, u32)> {
        let before = self.door.written()?;
        for _ in 0..OPENINGS {
            self.guest.open(&mut self.door, Action::Open)?;
        }
        let after = self.door.written()?;
        Ok((after.0 - before.0, after.1 - before.1))
    }
}

fn print_requests(requests: &[(&'static str, Measured)]) -> Outcome<()> {
    println!("## Requests\n\n| request | stack, bytes | instructions | words written |\n|---|---|---|---|");
    for (name, Measured { stack, instructions, words, .. }) in requests {
        println!("| {name} | {stack} | {instructions} | {words} |");
    }
    let of = |wanted: &str| {
        let found = requests.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, measured)| measured.instructions).ok_or("not measured")
    };
    let (install, unlock) = (of("install")?, of("unlock")?);
    println!("\nunlock ÷ install: 1/{:.0}; gate 1/100.", f64::from(install) / f64::from(unlock));
    Ok(())
}

fn print_ram(house: &House, requests: &[(&'static str, Measured)]) -> Outcome<()> {
    let deepest = requests.iter().map(|(_, measured)| measured.stack).max().unwrap_or_default();
    let (lock, above) = (house.door.size()?, requests.first().map_or(0, |(_, measured)| measured.above));
    let whole = deepest + above;
    println!("\n## RAM, bytes\n");
    println!("- `Lock<RustCrypto, 10>`: {lock}.");
    println!(
        "- Stack: {deepest} for the deepest request, below the {above} of `main` and `serve`, which hold the lock"
    );
    println!("  and the buffers: {whole} in all; gate 12288, for the request {}.", within(deepest <= 12_288));
    Ok(())
}

fn print_year(house: &mut House) -> Outcome<()> {
    println!("\n## Flash writes in a year of {A_DAY} openings a day\n");
    println!("Scaled from {OPENINGS} openings of each kind, really made. A word has 4 bytes.\n");
    println!("| key | words | bytes | pages erased | years until a page is worn |\n|---|---|---|---|---|");
    let year = f64::from(A_DAY) * 365.0 / f64::from(OPENINGS);
    for (name, slot) in [("uses limited", LIMITED), ("no use limit", FREE)] {
        if slot == FREE {
            house.activate(slot)?;
            house.download(slot, Limits::NONE)?;
        }
        let (words, erased) = house.open()?;
        let [words, erased] = [words, erased].map(|count| f64::from(count) * year);
        let worn = if erased > 0.0 { format!("{:.0}", ENDURANCE * PAGES / erased) } else { "—".into() };
        println!("| {name} | {words:.0} | {:.0} | {erased:.0} | {worn} |", words * 4.0);
    }
    ensure(house.door.bolt_moves()? as u64 >= u64::from(2 * OPENINGS), || "not every opening was one".into())
}

fn kib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0
}

const fn within(holds: bool) -> &'static str {
    if holds { "kept" } else { "missed" }
}
