//! Every public value that holds a secret or can reach one, as it arises in a whole story, shown.

use core::fmt::Debug;

use sharekey::code::ShareCode;
use sharekey::crypto::{Hash, Signer};
use sharekey::guest::{Account, Keyring};
use sharekey::limits::{Action, Limits, Rights};
use sharekey::lock::{Cell, Found, Lock, Making, StoredSeed, purpose};
use sharekey::message::{Challenge, Release, ReportAnswer};
use sharekey::owner::Owner;
use sharekey::sealed::Sealed;
use sharekey::secret::{
    ActivationSecret, AgreementSecret, Exposed, MacKey, PairingKey, Seed, SharedSecret, StorageKey,
};
use sharekey::service::Service;
use sharekey_stage::provider::Provider;

use super::shows;
use sharekey_stage::forge::label;
use sharekey_stage::hex;
use sharekey_stage::stand::{CARD, OWNER, SERVICE, SLOTS, SUBJECT, Stand};
use sharekey_stage::store::stored;
use sharekey_stage::{desk, digest, forge, rng, seed};

/// What was shown, and what must not be in it.
#[derive(Default)]
struct Gallery {
    shown: Vec<(String, String)>,
    secrets: Vec<Vec<u8>>,
}

impl Gallery {
    /// On one line; of a longer hexadecimal number, which is a public one, how long it is.
    fn show(&mut self, name: &str, value: &dyn Debug) {
        self.shown
            .push((format!("{name}, pretty"), format!("{value:#?}").split_whitespace().collect::<Vec<_>>().join(" ")));
        self.shown.push((name.to_owned(), format!("{value:?}")));
    }

    fn show_error(&mut self, error: &(impl std::error::Error + 'static)) {
        self.show("error", error);
        self.shown.push(("error, told".to_owned(), error.to_string()));
    }

    fn hide(&mut self, secret: &[u8]) {
        self.secrets.push(secret.to_vec());
    }

    fn field_of(&mut self, stored: &impl serde::Serialize, field: &str) {
        let json = serde_json::to_value(stored).unwrap();
        let secret = hex::bytes(json[field].as_str().unwrap());
        assert_eq!(secret.len(), 32);
        self.hide(&secret);
    }

    fn judge(self) -> String {
        for (name, text) in &self.shown {
            for secret in &self.secrets {
                assert!(!shows(text, secret), "{name}: {text}");
            }
        }
        let plain = self.shown.iter().filter(|(name, _)| !name.ends_with("pretty"));
        // Whichever provider the tests run under.
        let (ours, any) = (format!("crypto: {Provider:?},"), "crypto: a provider,");
        plain.map(|(name, text)| format!("{name}: {}\n", without_numbers(text).replace(&ours, any))).collect()
    }
}

/// Hexadecimal numbers of eight digits and more as how many digits they have.
fn without_numbers(text: &str) -> String {
    let (mut out, mut run) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_digit() || ('a'..='f').contains(&c) {
            run.push(c);
            continue;
        }
        if run.len() >= 8 && run.len() % 2 == 0 {
            out.push_str(&format!("{} digits", run.len()));
        } else {
            out.push_str(&run);
        }
        run.clear();
        out.push(c);
    }
    out.trim_end().to_owned()
}

fn secrets_alone(gallery: &mut Gallery) {
    let bytes = Provider.sha256(&[b"some secret"]);
    gallery.hide(&bytes);
    gallery.show("Seed", &Seed::from_bytes(bytes));
    gallery.show("PairingKey", &PairingKey::from_bytes(bytes));
    gallery.show("AgreementSecret", &AgreementSecret::from_bytes(bytes));
    gallery.show("SharedSecret", &SharedSecret::from_bytes(bytes));
    gallery.show("MacKey", &MacKey::from_bytes(bytes));
    gallery.show("StorageKey", &StorageKey::from_bytes(bytes));
    gallery.show("Exposed<Seed>", &Exposed(Seed::from_bytes(bytes)));
    gallery.show("ActivationSecret", &ActivationSecret::from_bytes(*bytes.first_chunk().unwrap()));
    gallery.show("Signer", &Signer::from_seed(&Provider, &Seed::from_bytes(bytes)).unwrap());
    gallery.show("Account", &Account::from_seed(&Provider, &Seed::from_bytes(bytes)).unwrap());
    gallery.show("Owner", &Owner::new(Provider, &Seed::from_bytes(bytes)).unwrap());
    gallery.show("Service", &Service::new(Provider, &Seed::from_bytes(bytes)).unwrap());
    let code = ShareCode::issue(&mut rng(1));
    gallery.hide(code.expose().as_str().as_bytes());
    gallery.hide(code.expose().as_str().replace('-', "").as_bytes());
    gallery.show("ShareCode", &code);
    gallery.show("CodeText", &code.expose());
    let text = code.expose().as_str().replace('-', "");
    for spoilt in
        [text[1..].to_owned(), format!("{text}0"), format!("{text}U"), format!("{text}!"), text.to_lowercase() + "é"]
    {
        gallery.show_error(&ShareCode::parse(&spoilt).unwrap_err());
    }
}

/// The lock's flash, its seed, its keys, and everything that an operation gives.
fn lock(gallery: &mut Gallery) {
    let uses = Limits::new(None, None, None, Some(5)).unwrap();
    let (mut stand, key) = Stand::installed_with(Rights::OPEN, uses);
    let cell = stand.store.get(Cell::Seed).unwrap().to_vec();
    gallery.hide(&cell[5..37]);
    for label in [label::LOCK_KEY, label::RECORD_MAC, label::NONCE, label::AGREEMENT] {
        gallery.hide(&stand.derived(label));
    }
    gallery.hide(&key.pairing);
    gallery.show("Found", &Found::Bytes(&cell));
    gallery.show("StoredSeed", &StoredSeed::read(&Provider, Found::Bytes(&cell)).unwrap());
    gallery.show(
        "Result of Lock::load",
        &Lock::<Provider, SLOTS>::load(
            Provider,
            sharekey_stage::stand::card(),
            &StoredSeed::read(&Provider, Found::Bytes(&cell)).unwrap(),
        ),
    );
    gallery.show_error(&StoredSeed::read(&Provider, Found::Bytes(&cell[..30])).unwrap_err());
    let card = sharekey_stage::stand::card();
    let making = Making::<Provider, 1>::new(Provider, card, Found::Bytes(&cell), &mut rng(4)).unwrap();
    gallery.show("Making", &making);
    let record = making.record().unwrap().unwrap();
    gallery.hide(&record.as_bytes()[5..37]);
    gallery.show("Record", &record);
    gallery.show("Lock", &stand.lock);

    let now = stand.now();
    gallery.show("Accepted<Challenged>", &stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap());
    let given = stand.lock.challenge::<purpose::Operate>(now, &mut stand.rng).unwrap();
    gallery.show("Challenged", &given.commit(stored).unwrap());
    let (nonce, session) = stand.operate();
    gallery.show("Session", &session);
    let staged = stand.lock.unlock(session, &key.message(Action::Open, nonce), now).unwrap();
    gallery.show("Accepted<Unlocked>", &staged);
    let (record, pending) = staged.detach();
    gallery.show("Record", &record);
    gallery.show("Pending<Unlocked>", &pending);
    gallery.show("Unlocked", &stand.lock.written(pending).unwrap());
    let refusal = stand.act(&key, Action::Lock).unwrap_err();
    gallery.show("Refusal", &refusal);
    gallery.show_error(&refusal);
    let refusal = stand.open(&sharekey_stage::stand::Key { pairing: [0x5a; 32], ..key }).unwrap_err();
    gallery.show_error(&refusal);
    gallery.show("Commanded", &stand.command(sharekey::message::Operation::Inspect { slot: key.slot }).unwrap());
}

/// The guest's way to a key.
fn guest(gallery: &mut Gallery) {
    let mut stand = Stand::active();
    let (nonce, session) = stand.for_install();
    let grant = forge::signed(&stand.chain(nonce, 0, 2).grant, &seed(OWNER));
    let account = Account::from_seed(&Provider, &seed(SUBJECT)).unwrap();
    let claimed = account.claim(&Provider, &grant, None, &mut rng(2)).unwrap().stored();
    gallery.field_of(&Exposed(&claimed), "device");
    gallery.show("Claimed", &claimed);
    let first = forge::bare(&Challenge { lock: stand.id(), nonce });
    let installing = claimed.install(&Provider, &first, &mut rng(3)).unwrap().stored();
    gallery.field_of(&Exposed(&installing), "secret");
    gallery.show("Installing", &installing);
    let release = forge::signed(&Release { install: digest(installing.install()) }, &seed(SERVICE));
    let download = installing.bundle(&Provider, &release).unwrap();
    gallery.show("Download", &download);
    let installed = stand.send_bundle(session, download.bundle()).unwrap();
    gallery.show("Installed", &installed);
    let key = download.finish(&Provider, &installed.receipt).unwrap().stored();
    gallery.field_of(&Exposed(&key), "pairing");
    gallery.show("GuestKey", &key);
    let (nonce, _) = stand.operate();
    let challenge = forge::bare(&Challenge { lock: stand.id(), nonce });
    let (unlock, awaiting) = key.unlock(&Provider, &challenge, Action::Open, &mut rng(5)).unwrap();
    gallery.show("Encoded<Unlock>", &unlock);
    gallery.show("AwaitingReply", &awaiting);
    gallery.show_error(&key.check_reply(&Provider, &awaiting, &unlock).unwrap_err());
    gallery.show_error(&download.finish(&Provider, &unlock).unwrap_err());
    ring(gallery, (&account, &grant), &first, [&release, &installed.receipt]);
}

/// The same download in a ring: of the same entropy, so with the same secrets.
fn ring(
    gallery: &mut Gallery,
    (account, grant): (&Account<Provider>, &[u8]),
    challenge: &[u8],
    [release, receipt]: [&[u8]; 2],
) {
    let mut ring = Keyring::new();
    let staged = ring.take(&Provider, account, grant, None, &mut rng(2)).unwrap();
    gallery.show("Staged<Keyring>", &staged);
    desk::accept(staged);
    let claimed = ring.claims().next().unwrap();
    let place = (claimed.lock(), claimed.slot());
    let asked = ring.install(&Provider, place, challenge, &mut rng(3)).unwrap();
    gallery.show("Staged<Keyring>, an attempt", &asked);
    desk::accept(asked);
    gallery.show("Keyring, an attempt", &ring);
    desk::accept(ring.bundle(&Provider, release).unwrap());
    desk::accept(ring.finish(&Provider, receipt).unwrap());
    assert_eq!(ring.keys().len(), 1);
    gallery.show("Keyring, a key", &ring);
    gallery.show("RingKey", &ring.key(place.0, place.1).unwrap());
    gallery.show("Exposed<Keyring>", &Exposed(&ring));
    let key = StorageKey::random(&mut rng(6));
    gallery.hide(key.expose());
    let sealed = Sealed::seal(&Provider, &key, b"ring", &ring, &mut rng(7)).unwrap();
    gallery.show("Sealed<Keyring>", &sealed);
    gallery.show("Sealed<Keyring>, opened", &sealed.open(&Provider, &key, b"ring"));
    gallery.show_error(&sealed.open(&Provider, &key, b"another place").unwrap_err());
}

/// What owner and service keep.
fn owner_and_service(gallery: &mut Gallery) {
    let card = desk::card();
    gallery.hide(card.expose());
    let service = *desk::service().key();
    let (message, pending) = desk::owner().provision(&card, &desk::challenge(), service, &mut desk::rng()).unwrap();
    gallery.show("Encoded<Provision>", &message);
    gallery.show("PendingProvision", &pending);
    gallery.show_error(&pending.finish(&desk::owner(), &desk::granted(2)).unwrap_err());
    gallery.show("OwnedLock", &desk::sharing_view());
    let record = desk::shared_record(2);
    gallery.show("ShareRecord", &record);
    let (report, messages) = desk::reported(&desk::service(), &record);
    gallery.show("Report", &report);
    let answer = ReportAnswer::encode(&desk::granted(2), &[&messages[0]]);
    gallery.show("ReportAnswer", &ReportAnswer::parse(&answer).unwrap());
    let (request, pending) = desk::owner().ask(&desk::sharing_view(), desk::SLOT, desk::NOW, &mut desk::rng()).unwrap();
    gallery.show("Encoded<ReportRequest>", &request);
    gallery.show("PendingReport", &pending);
}

#[test]
fn no_public_type_shows_a_secret_and_each_shows_what_was_reviewed() {
    let mut gallery = Gallery::default();
    secrets_alone(&mut gallery);
    lock(&mut gallery);
    guest(&mut gallery);
    owner_and_service(&mut gallery);
    gallery.hide(&CARD[..15]);
    assert!(gallery.shown.len() > 100 && gallery.secrets.len() >= 12);
    insta::assert_snapshot!(gallery.judge());
}
