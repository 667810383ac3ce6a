//! `door wire replay N`: an old message again, to whoever took it.

use sharekey::message::{Claim, Connect, Install};
use sharekey::owner::Learned;
use sharekey::wire::{Kind, Unverified};

use crate::cli::Radio;
use crate::guest;
use crate::home::{CRYPTO, Home, Name};
use crate::lock::{Firmware, SOMEBODY};
use crate::owner;
use crate::refusal::By as _;
use crate::service::Cloud;

pub fn replay(home: &Home, number: u32, to: Option<Name>, button: bool) -> anyhow::Result<()> {
    let entry = home.wire().entry(number)?;
    let bytes = entry.read()?;
    let to = to.map_or_else(|| Name::read(&entry.to).map_err(anyhow::Error::msg), Ok)?;
    match to.as_str() {
        "lock" => to_lock(home, &bytes, button),
        "service" => to_service(home, &bytes),
        SOMEBODY => anyhow::bail!("that went to a stranger; say --to whom it goes now"),
        _ if home.owners()?.contains(&to) => to_owner(home, &to, number, &bytes),
        "owner" => to_owner(home, &home.current_owner()?, number, &bytes),
        _ if home.guests()?.contains(&to) => to_guest(home, &to, number, &bytes),
        _ => anyhow::bail!("there is no {to} here"),
    }
}

/// The attacker asks the lock for a fresh challenge, and answers it with the old message.
fn to_lock(home: &Home, bytes: &[u8], button: bool) -> anyhow::Result<()> {
    let connect = match Kind::of(bytes) {
        Ok(Kind::Bundle) => Connect::INSTALL,
        _ => Connect::OPERATE,
    };
    let mut lock = Firmware::boot(home, None)?;
    lock.button = button;
    lock.exchange(SOMEBODY, &connect, &Radio::default(), |_| Ok(bytes.to_vec()))?.accepted()?;
    println!("The lock took it again.");
    Ok(())
}

fn to_service(home: &Home, bytes: &[u8]) -> anyhow::Result<()> {
    let cloud = Cloud::open(home)?;
    let before = cloud.snapshot()?;
    home.wire().record(SOMEBODY, "service", bytes)?;
    match Kind::of(bytes).by("the service")? {
        Kind::Claim | Kind::Install => {
            let (claim, install) = pair(home, bytes)?;
            cloud.release_claimed(SOMEBODY, &claim, &install)?;
        }
        _ => drop(cloud.take_in(SOMEBODY, bytes)?),
    }
    if cloud.is_elsewhere() {
        println!("The service took it.");
    } else if cloud.snapshot()? == before {
        println!("The service took it again, and it changed nothing.");
    } else {
        println!("The service took it, and it was news.");
    }
    Ok(())
}

/// A claim and its install go to the service together: the one that was replayed, and the other as it
/// crossed the wire.
fn pair(home: &Home, bytes: &[u8]) -> anyhow::Result<(Vec<u8>, Vec<u8>)> {
    let mut found = None;
    for entry in home.wire().list()? {
        let other = entry.read()?;
        if belong_together(bytes, &other) {
            found = Some((bytes.to_vec(), other));
        } else if belong_together(&other, bytes) {
            found = Some((other, bytes.to_vec()));
        }
    }
    found.ok_or_else(|| anyhow::anyhow!("the other half of this claim and install never crossed the wire"))
}

fn belong_together(claim: &[u8], install: &[u8]) -> bool {
    let (Ok(claim), Ok(install)) = (Unverified::<Claim>::parse(claim), Unverified::<Install>::parse(install)) else {
        return false;
    };
    install.claims().claim == claim.digest(&CRYPTO)
}

fn to_owner(home: &Home, name: &Name, number: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let phone = owner::Phone::open(home, name)?;
    match Kind::of(bytes) {
        Ok(Kind::Challenge) => phone.try_to_inspect(&Radio { challenge_with: Some(number), ..Radio::default() })?,
        Ok(Kind::Refused | Kind::Reply) => {
            phone.try_to_inspect(&in_place_of_an_answer(number))?;
        }
        _ => {
            home.wire().record(SOMEBODY, name.as_str(), bytes)?;
            match phone.hear(bytes)? {
                Some(Learned { equivocation: Some(_), .. }) => {
                    println!("{name} took it: it convicts the service of a lie.");
                }
                Some(Learned { news: false, .. }) => println!("{name} learned nothing new from it."),
                _ => println!("{name} took it, and it was news."),
            }
        }
    }
    Ok(())
}

fn to_guest(home: &Home, name: &Name, number: u32, bytes: &[u8]) -> anyhow::Result<()> {
    let phone = guest::Phone::open(home, name)?;
    match Kind::of(bytes) {
        Ok(Kind::Challenge) => phone.try_to_open(&Radio { challenge_with: Some(number), ..Radio::default() })?,
        Ok(Kind::Refused | Kind::Reply) => {
            phone.try_to_open(&in_place_of_an_answer(number))?;
        }
        _ => {
            home.wire().record(SOMEBODY, name.as_str(), bytes)?;
            println!("{name} {}.", phone.hear(bytes)?);
            return Ok(());
        }
    }
    println!("{name} took it.");
    Ok(())
}

/// The attacker keeps a new message from the lock, and answers it with an old one.
fn in_place_of_an_answer(number: u32) -> Radio {
    Radio { answer_with: Some(number), withhold: true, ..Radio::default() }
}
