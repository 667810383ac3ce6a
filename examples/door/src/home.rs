//! The home: one folder a role, the wire between them, and the time.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rand_core::CryptoRng;
use sharekey::crypto::Ring;
use sharekey::limits::Timestamp;
use sharekey::secret::Seed;

use crate::moment::{self, Wait, When};
use crate::wire::Wire;
use crate::{args, entropy, files};

/// The provider that every role uses.
pub const CRYPTO: Ring = Ring;

/// What an owner is called unless somebody says otherwise.
const FIRST_OWNER: &str = "owner";

/// What an owner, a guest or another role is called: it names folders and files too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(String);

impl Name {
    pub fn read(text: &str) -> Result<Self, String> {
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if text.is_empty() || text.len() > 32 || text.starts_with('.') || !text.chars().all(sound) {
            return Err("a name is 1 to 32 letters, digits, \"_\" and \".\", not beginning with \".\"".into());
        }
        Ok(Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is one of the roles that there is one of.
    fn is_reserved(&self) -> bool {
        matches!(self.as_str(), "lock" | "service" | "somebody")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// How the service is reached.
pub struct Network {
    /// Not at all.
    pub offline: bool,
    /// By this URL, in place of the service in the home.
    pub service: Option<String>,
}

pub struct Home {
    root: PathBuf,
    now: Timestamp,
    rng: RefCell<Box<dyn CryptoRng>>,
    offline: bool,
    service: Option<String>,
}

impl Home {
    pub fn open(root: &Path, seed: Option<u64>, at: Option<When>, network: Network) -> anyhow::Result<Self> {
        files::make_folder(root)?;
        let now = tell_time(root, at)?;
        let rng = RefCell::new(entropy::source(seed, root)?);
        let Network { offline, service } = network;
        Ok(Self { root: root.into(), now, rng, offline, service })
    }

    /// The time of this call.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether the service cannot be reached.
    pub const fn is_offline(&self) -> bool {
        self.offline
    }

    /// Where the service runs, if not in this home.
    pub fn service(&self) -> Option<&str> {
        self.service.as_deref()
    }

    /// Lets time pass within this call: later calls begin after it, where time is played at all.
    pub fn pass(&self, wait: Wait) -> anyhow::Result<()> {
        let path = clock_path(&self.root);
        match files::read_json::<u64>(&path)? {
            Some(_) => files::write_json(&path, &moment::later(self.now, wait)?.unix_seconds()),
            None => Ok(()),
        }
    }

    /// Runs something that draws randomness.
    pub fn draw<T>(&self, with: impl FnOnce(&mut dyn CryptoRng) -> T) -> T {
        with(&mut **self.rng.borrow_mut())
    }

    pub fn wire(&self) -> Wire {
        Wire::new(self.root.join("wire"))
    }

    pub fn lock_folder(&self) -> PathBuf {
        self.root.join("lock")
    }

    pub fn service_folder(&self) -> PathBuf {
        self.root.join("service")
    }

    pub fn owner_folder(&self, name: &Name) -> PathBuf {
        self.root.join("owners").join(name.as_str())
    }

    pub fn guest_folder(&self, name: &Name) -> PathBuf {
        self.root.join("guests").join(name.as_str())
    }

    pub fn owners(&self) -> anyhow::Result<Vec<Name>> {
        names_in(&self.root.join("owners"))
    }

    pub fn guests(&self) -> anyhow::Result<Vec<Name>> {
        names_in(&self.root.join("guests"))
    }

    /// An owner's folder, made where there is none.
    pub fn make_owner(&self, name: &Name) -> anyhow::Result<PathBuf> {
        anyhow::ensure!(!name.is_reserved(), "no owner can be called {name}");
        anyhow::ensure!(!self.guest_folder(name).exists(), "{name} is a guest; an owner needs another name");
        let folder = self.owner_folder(name);
        files::make_folder(&folder)?;
        Ok(folder)
    }

    /// A guest's folder, made where there is none.
    pub fn make_guest(&self, name: &Name) -> anyhow::Result<PathBuf> {
        anyhow::ensure!(!name.is_reserved(), "no guest can be called {name}");
        anyhow::ensure!(!self.owner_folder(name).exists(), "{name} is an owner; a guest needs another name");
        let folder = self.guest_folder(name);
        files::make_folder(&folder)?;
        Ok(folder)
    }

    /// Who owns the lock now.
    pub fn current_owner(&self) -> anyhow::Result<Name> {
        let stored = files::read_json::<String>(&self.root.join("owner"))?;
        Name::read(stored.as_deref().unwrap_or(FIRST_OWNER)).map_err(anyhow::Error::msg)
    }

    pub fn set_current_owner(&self, name: &Name) -> anyhow::Result<()> {
        files::write_json(&self.root.join("owner"), &name.as_str())
    }

    /// The seed that is stored at `path`, drawn where there is none.
    pub fn seed(&self, path: &Path) -> anyhow::Result<Seed> {
        if let Some(seed) = stored_seed(path)? {
            return Ok(seed);
        }
        let seed = self.draw(|rng| Seed::random(rng));
        files::write(path, format!("{}\n", hex(seed.expose())).as_bytes())?;
        Ok(seed)
    }
}

pub fn stored_seed(path: &Path) -> anyhow::Result<Option<Seed>> {
    let Some(bytes) = files::read(path)? else { return Ok(None) };
    let seed = std::str::from_utf8(&bytes).ok().and_then(|text| args::bytes(text.trim()));
    seed.map(Seed::from_bytes).with_context(|| format!("{} is damaged", path.display())).map(Some)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names_in(folder: &Path) -> anyhow::Result<Vec<Name>> {
    let paths = files::list(folder)?;
    let names = paths.iter().filter_map(|path| path.file_name().and_then(|name| name.to_str()));
    Ok(names.filter_map(|name| Name::read(name).ok()).collect())
}

fn clock_path(root: &Path) -> PathBuf {
    root.join("time")
}

/// The time that was played last, or the computer's; moved to `at`, which is kept.
fn tell_time(root: &Path, at: Option<When>) -> anyhow::Result<Timestamp> {
    let path = clock_path(root);
    let played = files::read_json::<u64>(&path)?.map(Timestamp::from_unix_seconds);
    let before = played.map_or_else(moment::system, Ok)?;
    let Some(at) = at else { return Ok(before) };
    let now = at.after(before)?;
    files::write_json(&path, &now.unix_seconds())?;
    Ok(now)
}
