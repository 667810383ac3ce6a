//! Bytes, keys, limits, texts and contacts: the second time the right thing is given.

use sharekey::code::{Link, ShareCode};
use sharekey::contacts::Fingerprint;
use sharekey::crypto::{Agree, AgreementKey, PublicKey};
use sharekey::error::{CodeError, LimitsError, Retry, SignatureError, WireError};
use sharekey::id::{AccountId, ContactName};
use sharekey::limits::{Action, Limits, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Cell, Found, StoredSeed};
use sharekey::message::{Grant, Unlock};
use sharekey::secret::AgreementSecret;
use sharekey::wire::Unverified;
use sharekey_stage::provider::Provider;
use sharekey_stage::samples::{Samples, Size};
use sharekey_stage::world::{ANA, OLGA, key_of, seed};
use sharekey_stage::{NOON, bad, forge};

use super::{Case, Play, told};

/// A value is made; `$good` says whether of what is right.
macro_rules! made {
    ($code:literal, |$good:ident| $make:expr) => {
        (&[$code], Play::active, |play| {
            let $good = !play.first();
            $make.map(drop).map_err(told)
        })
    };
}

/// A grant arrives, at first altered on its way.
macro_rules! altered {
    ($code:literal, |$bytes:ident| $alter:expr) => {
        made!($code, |good| {
            let mut $bytes = forge::signed(&Grant::samples(Size::High)[0], &seed(OLGA));
            if !good {
                $alter;
            }
            read(&$bytes)
        })
    };
}

/// The same, as whoever checks its signature finds.
macro_rules! checked {
    ($code:literal, $way:literal) => {
        made!($code, |good| {
            let bytes = forge::signed(&Grant::samples(Size::High)[0], &seed(OLGA));
            let bytes = if good { bytes } else { bad::signatures(&bytes)[$way].0.clone() };
            check(&bytes, &key_of(OLGA))
        })
    };
}

/// Behind header, lock, epoch, slot, generation and subject.
const RIGHTS: usize = 4 + 32 + 4 + 4 + 1 + 4 + 32;

fn read(grant: &[u8]) -> Result<(), WireError> {
    Unverified::<Grant>::parse(grant).map(drop)
}

fn check(grant: &[u8], key: &PublicKey) -> Result<(), SignatureError> {
    Unverified::<Grant>::parse(grant).unwrap().verify(&Provider, key).map(drop)
}

fn schedule(days: u8, start: u16, offset: i16) -> Result<Schedule, LimitsError> {
    Schedule::new(Weekdays::try_from(days)?, start, 700, UtcOffset::from_minutes(offset)?, None)
}

fn key(bytes: [u8; 32]) -> PublicKey {
    PublicKey::from_bytes(bytes)
}

fn ana() -> AccountId {
    "ana@example".parse().unwrap()
}

pub const CASES: &[Case] = &[
    altered!("Wire.Truncated", |bytes| bytes.truncate(90)),
    altered!("Wire.TooLong", |bytes| bytes.resize(300, 0)),
    made!("Wire.Trailing", |good| {
        let mut bytes = forge::signed(&Grant { limits: Limits::NONE, ..Grant::samples(Size::High)[0] }, &seed(OLGA));
        bytes.resize(bytes.len() + usize::from(!good), 0);
        read(&bytes)
    }),
    altered!("Wire.Magic", |bytes| bytes[0] = b'T'),
    altered!("Wire.Kind", |bytes| bytes[3] = 4),
    altered!("Wire.Option", |bytes| bytes[RIGHTS + 1] = 2),
    altered!("Wire.Value", |bytes| bytes[RIGHTS] = 0),
    made!("Key.NotCanonical", |good| if good { key_of(ANA) } else { key(bad::bytes(bad::FIELD_PRIME)) }.check()),
    made!("Key.SmallOrder", |good| if good { key_of(ANA) } else { key([0; 32]) }.check()),
    made!("Signature.Key", |good| {
        // A statement under the key that it names itself.
        let bytes = forge::signed(&Grant::samples(Size::High)[0], &seed(OLGA));
        let named = if good { key_of(OLGA) } else { key([0; 32]) };
        check(&bytes, &named)
    }),
    made!("Mac.Mismatch", |good| {
        let bytes = forge::tagged(&Unlock::samples(Size::High)[0], &[if good { 7 } else { 8 }; 32]);
        let unlock = Unverified::<Unlock>::parse(&bytes).unwrap();
        unlock.verify_mac(&Provider, &[7; 32]).map(drop)
    }),
    made!("Agreement.NonContributory", |good| {
        let secret = AgreementSecret::from_bytes([7; 32]);
        let peer = if good { Provider.agreement_key(&secret) } else { AgreementKey::from_bytes([0; 32]) };
        Provider.agree(&secret, &peer)
    }),
    made!("Limits.EmptyPeriod", |good| {
        let at = |seconds| Some(Timestamp::from_unix_seconds(seconds));
        Limits::new(at(5), at(if good { 6 } else { 5 }), None, None)
    }),
    made!("Limits.NoUses", |good| Limits::new(None, None, None, Some(u32::from(good)))),
    made!("Limits.FarAway", |good| {
        let until = NOON + if good { 600 } else { 1_000 * NOON };
        Limits::NONE.until(Timestamp::from_unix_seconds(until)).unwrap().check(Rights::OPEN)
    }),
    made!("Limits.UsesWithoutOpen", |good| {
        Limits::NONE.uses(1).unwrap().check(if good { Rights::OPEN_AND_LOCK } else { Rights::LOCK })
    }),
    made!("Limits.NoTime", |good| {
        let dates = Limits::NONE.from(Timestamp::from_unix_seconds(NOON)).unwrap();
        let dates = dates.until(Timestamp::from_unix_seconds(NOON + 600)).unwrap();
        dates.on(schedule(Weekdays::ALL.into(), if good { 719 } else { 1080 }, 0).unwrap()).check(Rights::OPEN)
    }),
    made!("Limits.Weekdays", |good| schedule(u8::from(good), 0, 0)),
    made!("Limits.Window", |good| schedule(1, if good { 0 } else { 1440 }, 0)),
    made!("Limits.Offset", |good| schedule(1, 0, if good { 840 } else { 841 })),
    made!("Limits.Rights", |good| Rights::try_from(u8::from(good))),
    made!("Limits.Action", |good| Action::try_from(u8::from(good))),
    made!("Hex.NotHex", |good| if good { "a0" } else { "g0" }.repeat(32).parse::<PublicKey>()),
    made!("Hex.Length", |good| "a0".repeat(if good { 32 } else { 31 }).parse::<PublicKey>()),
    made!("Code.UnknownSymbol", |good| code(good, "!")),
    made!("Code.LetterU", |good| code(good, "U")),
    made!("Code.TooShort", |good| code(good, "")),
    made!("Code.TooLong", |good| code(good, "00")),
    made!("Code.CheckFailed", |good| code(good, "Z")),
    made!("Link.NotALink", |good| Link::parse(if good { LINK } else { &LINK[9..] })),
    made!("Link.UnknownKind", |good| Link::parse(if good { LINK } else { "sharekey:lock/0" })),
    made!("Link.Code", |good| Link::parse(if good { LINK } else { &LINK[..20] })),
    made!("Id.Empty", |good| if good { "ana" } else { "" }.parse::<AccountId>()),
    made!("Id.TooLong", |good| "a".repeat(if good { 64 } else { 65 }).parse::<AccountId>()),
    made!("Id.Control", |good| if good { "ana" } else { "an\na" }.parse::<AccountId>()),
    made!("Id.Invisible", |good| if good { "ana" } else { "ana\u{200b}" }.parse::<ContactName>()),
    made!("Id.Character", |good| if good { "ana" } else { "an\u{430}" }.parse::<AccountId>()),
    made!("Id.Whitespace", |good| if good { "ana" } else { " ana" }.parse::<AccountId>()),
    made!("Fingerprint.NotADigit", |good| if good { "0".repeat(30) } else { "x".repeat(30) }.parse::<Fingerprint>()),
    made!("Fingerprint.TooShort", |good| "0".repeat(if good { 30 } else { 29 }).parse::<Fingerprint>()),
    made!("Fingerprint.TooLong", |good| "0".repeat(if good { 30 } else { 31 }).parse::<Fingerprint>()),
    (&["Contact.NotFound"], Play::active, |play| {
        let id = if play.first() { "anna".parse().unwrap() } else { ana() };
        play.book.rename(&id, "Ana B.".parse().unwrap()).map_err(told)
    }),
    (&["Contact.Duplicate"], Play::active, |play| {
        let id = if play.first() { ana() } else { "ana2".parse().unwrap() };
        play.book.add(id, "Ana".parse().unwrap(), key_of(ANA)).map_err(told)
    }),
    (&["Contact.Key"], Play::active, |play| {
        let key = if play.first() { key([0; 32]) } else { key_of(ANA) };
        play.book.add("ben".parse().unwrap(), "Ben".parse().unwrap(), key).map_err(told)
    }),
    (&["Contact.KeyChanged"], Play::active, |play| play.book.observe(&ana(), &key_of(ANA + 1)).map_err(told)),
    (&["Contact.KeyNotChanged"], Play::active, |play| {
        if play.first() {
            return play.book.accept_changed_key(&ana(), key_of(ANA)).map_err(told);
        }
        assert_eq!(*play.book.get(&ana()).unwrap().key(), key_of(ANA));
        Ok(())
    }),
    (&["Contact.FingerprintMismatch"], Play::active, |play| {
        let read_out = Fingerprint::of(&Provider, &key_of(if play.first() { OLGA } else { ANA }));
        play.book.verify(&Provider, &ana(), &read_out).map_err(told)
    }),
    (&["Contact.ScannedKeyMismatch"], Play::active, |play| {
        let scanned = key_of(if play.first() { OLGA } else { ANA });
        play.book.verify_key(&ana(), &scanned).map_err(told)
    }),
    checked!("Signature.Commitment", 6),
    checked!("Signature.ScalarNotReduced", 0),
    checked!("Signature.Mismatch", 3),
    (&["Load.NotMade"], Play::active, |play| {
        if play.first() {
            play.w.door.store.remove(Cell::Seed);
        }
        StoredSeed::read(&Provider, play.w.door.store.found(Cell::Seed)).map(drop).map_err(told)
    }),
    (&["Load.SeedDamaged"], Play::active, |play| {
        let found = if play.did(Retry::Reload) { play.w.door.store.found(Cell::Seed) } else { Found::Unreadable };
        StoredSeed::read(&Provider, found).map(drop).map_err(told)
    }),
];

const LINK: &str = "sharekey:code/7K3Q-XM9T-FR2A-W8BC-4DFY";

/// A code, mistyped at its last symbol or behind it.
fn code(good: bool, last: &str) -> Result<ShareCode, CodeError> {
    let code = "7K3Q-XM9T-FR2A-W8BC-4DFY";
    let typed = format!("{}{last}", &code[..code.len() - 1]);
    ShareCode::parse(if good { code } else { &typed })
}
