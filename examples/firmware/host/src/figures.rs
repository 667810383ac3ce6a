//! The figures of the firmware, as a page of Markdown.

use std::path::Path;

use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, Rights};
use sharekey::owner::Order;
use sharekey::secret::ActivationSecret;

use super::causes;
use super::door::{Door, Measured};
use super::gates::{self, Measures};
use super::image::{Image, Sizes};
use super::machine::{Board, Firmware};
use super::{Outcome, ensure, entropy};
use sharekey_apps::cloud::Cloud;
use sharekey_apps::phone::{GuestPhone, OwnerPhone};
use sharekey_apps::story::Door as _;

/// The images, as `figures.sh` builds them into one directory.
#[derive(Clone, Copy)]
pub struct Images<'a>(pub &'a Path);

/// Openings that are really made, to scale from.
const OPENINGS: u32 = 500;
const A_DAY: u32 = 50;
const ENDURANCE: f64 = 10_000.0;
const PAGES: f64 = 8.0;

impl Images<'_> {
    fn image(&self, name: &str) -> Outcome<Image> {
        Image::read(&self.0.join(name))
    }
}

/// Measures, and prints; with `all`, also what no gate is about, which takes longer.
///
/// # Errors
/// The first measurement that cannot be made; and in the end, gates that are missed.
pub fn print(images: Images<'_>, all: bool) -> Outcome<()> {
    let flash = print_flash(images)?;
    print_causes(images, flash)?;
    if all {
        print_panics(images)?;
    }
    let mut house = House::new(Firmware::at(images.0.join("measured"), Board::MPS2)?.counting())?;
    let requests = house.requests()?;
    let measures = print_requests(flash, &house, &requests)?;
    if all {
        print_year(&mut house)?;
    }
    gates::judge(measures)
}

/// Gives the flash of the lock's role.
fn print_flash(images: Images<'_>) -> Outcome<u64> {
    println!("## Flash and static RAM, bytes\n");
    println!("| image | text | rodata | data | bss | flash |\n|---|---|---|---|---|---|");
    let [lock, quiet, bare] = ["lock", "quiet", "bare"].map(|name| images.image(name).and_then(|it| it.sizes()));
    let (lock, quiet, bare) = (lock?, quiet?, bare?);
    for (name, sizes) in
        [("the lock", lock), ("the lock, refusals without their code", quiet), ("the board alone", bare)]
    {
        let Sizes { text, rodata, data, bss } = sizes;
        println!("| {name} | {text} | {rodata} | {data} | {bss} | {} |", sizes.flash());
    }
    let role = quiet.flash() - bare.flash();
    println!(
        "\nThe lock's role, refusals without their code, less the board alone: {role} bytes, {:.1} KiB.\n",
        role as f64 / 1024.0
    );
    Ok(role)
}

/// All of it has a cause.
fn print_causes(images: Images<'_>, role: u64) -> Outcome<()> {
    println!("| what is in the lock's role | bytes |\n|---|---|");
    let (lock, board) = (causes::of(&images.image("quiet")?)?, causes::of(&images.image("bare")?)?);
    let mut sum = 0;
    for cause in causes::all() {
        let [lock, board] = [&lock, &board].map(|of| of.get(cause).copied().unwrap_or_default() as i64);
        println!("| {cause} | {} |", lock - board);
        sum += lock - board;
    }
    println!();
    ensure(sum == role as i64, || format!("{role} bytes come to {sum}"))
}

fn print_panics(images: Images<'_>) -> Outcome<()> {
    let places = images.image("lock")?.panics()?;
    let (ours, theirs): (Vec<_>, Vec<_>) = places.into_iter().partition(super::image::Place::is_ours);
    println!("## Places where the compiler could not rule a panic out\n");
    println!("In this project: {}. In dependencies and in core: {}.\n", ours.len(), theirs.len());
    for place in ours.iter().chain(&theirs) {
        println!("- {}:{}", place.file, place.line);
    }
    println!();
    Ok(())
}

/// A lock with its card, its owner and a guest.
struct House {
    card: ActivationSecret,
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
        Ok(Self { card, door, cloud, owner, guest: GuestPhone::new()? })
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
        // Once more, on a lock that is there; and the lock that follows it is made.
        self.door.cut_the_power()?;
        self.door.factory_reset(&self.card, true)?;
        requests.push(("factory reset", self.door.measured_before()?));
        self.owner = OwnerPhone::new()?;
        self.owner.provision(&mut self.door, &self.card, &mut self.cloud)?;
        self.activate(LIMITED)?;
        self.download(LIMITED, Limits::NONE.uses(u32::MAX)?)?;
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

/// Gives what is held against the gates.
fn print_requests(flash: u64, house: &House, requests: &[(&'static str, Measured)]) -> Outcome<Measures> {
    println!(
        "## Booting and requests\n\n| | stack, bytes | above it | instructions | words written |\n|---|---|---|---|---|"
    );
    let boots = ["boot, a lock is made", "boot"].into_iter().zip(house.door.boots()?);
    let all: Vec<(&str, Measured)> = boots.chain(requests.iter().copied()).collect();
    for (name, Measured { above, stack, instructions, words, .. }) in &all {
        println!("| {name} | {stack} | {above} | {instructions} | {words} |");
    }
    let of = |wanted: &str| {
        let found = all.iter().find(|(name, _)| *name == wanted);
        found.map(|(_, measured)| u64::from(measured.instructions)).ok_or("not measured")
    };
    of("boot")?;
    let deepest =
        |all: &[(&str, Measured)], of: fn(&Measured) -> u32| all.iter().map(|(_, it)| u64::from(of(it))).max();
    Ok(Measures {
        flash,
        request: deepest(requests, |it| it.stack).ok_or("nothing was measured")?,
        whole: deepest(&all, |it| it.above + it.stack).ok_or("nothing was measured")?,
        lock: house.door.size()?.into(),
        unlocks: of("install")? / of("unlock")?,
    })
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
