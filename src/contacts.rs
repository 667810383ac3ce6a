//! The contact book: which account key is whose, and how sure the owner is (spec: "Contacts").
//!
//! The book pins the key with which a contact was added. The directory that named it may be the
//! service's, and the service is not trusted for who may enter: what is claimed of a taken-over
//! service holds for [`Verified`](Trust::Verified) contacts. The book does no I/O; store it with
//! `serde`.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use crate::crypto::{Hash, PublicKey};
use crate::error::{ContactError, KeyError};
use crate::id::{AccountId, ContactName};

mod fingerprint;

pub use self::fingerprint::Fingerprint;

/// How sure the owner is that a key is the contact's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum Trust {
    /// Somebody said so, the directory most likely.
    Unverified,
    /// The fingerprint was compared, or the key scanned from the contact's device.
    Verified,
}

/// One contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawContact")]
pub struct Contact {
    name: ContactName,
    key: PublicKey,
    trust: Trust,
}

#[derive(Deserialize)]
struct RawContact {
    name: ContactName,
    key: PublicKey,
    trust: Trust,
}

impl TryFrom<RawContact> for Contact {
    type Error = KeyError;

    fn try_from(RawContact { name, key, trust }: RawContact) -> Result<Self, KeyError> {
        //= spec/protocol.md#contacts
        //# CON-5. A contact MUST NOT be pinned with a key that fails KEY-1 or KEY-2.
        key.check()?;
        Ok(Self { name, key, trust })
    }
}

impl Contact {
    /// What the owner calls the contact.
    #[must_use]
    pub const fn name(&self) -> &ContactName {
        &self.name
    }

    /// The pinned account key: the subject to grant to.
    #[must_use]
    pub const fn key(&self) -> &PublicKey {
        &self.key
    }

    /// How sure the owner is that the key is the contact's.
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }
}

/// The owner's contacts, sorted by account id.
///
/// ```
/// # #[cfg(feature = "ring")] {
/// use sharekey::contacts::{ContactBook, Fingerprint, Trust};
/// use sharekey::crypto::{Ring, Signer};
/// use sharekey::secret::Seed;
///
/// let key = *Signer::from_seed(&Ring, &Seed::from_bytes([7; 32]))?.public();
/// let mut book = ContactBook::default();
/// let id = "berta@example.org".parse().unwrap();
/// book.add("berta@example.org".parse().unwrap(), "Berta".parse().unwrap(), key).unwrap();
///
/// // Berta reads the fingerprint from her phone to the owner.
/// let read_out = Fingerprint::of(&Ring, &key);
/// book.verify(&Ring, &id, &read_out).unwrap();
/// assert_eq!(book.get(&id).unwrap().trust(), Trust::Verified);
/// # }
/// # Ok::<(), sharekey::error::ProviderFailed>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ContactBook {
    contacts: BTreeMap<AccountId, Contact>,
    /// The keys of those who were deleted.
    deleted: BTreeMap<AccountId, PublicKey>,
}

impl ContactBook {
    /// An empty book.
    #[must_use]
    pub const fn new() -> Self {
        Self { contacts: BTreeMap::new(), deleted: BTreeMap::new() }
    }

    /// Adds a contact, pinning `key`, as yet [`Unverified`](Trust::Unverified).
    ///
    /// # Errors
    /// [`ContactError::Duplicate`] for an id that the book has, [`ContactError::Key`] for a key that
    /// is no good key; [`ContactError::KeyChanged`] where the contact was [deleted](Self::delete) and had another key: ask
    /// the owner, then [`accept_changed_key`](Self::accept_changed_key), and add.
    pub fn add(&mut self, id: AccountId, name: ContactName, key: PublicKey) -> Result<(), ContactError> {
        let Self { contacts, deleted } = self;
        let Entry::Vacant(place) = contacts.entry(id) else { return Err(ContactError::Duplicate) };
        //= spec/protocol.md#contacts
        //# CON-5. A contact MUST NOT be pinned with a key that fails KEY-1 or KEY-2.
        key.check()?;
        //= spec/protocol.md#contacts
        //# CON-7. A key that a deleted contact is added again with MUST be taken for a changed one where it is not the one that was pinned last.
        if deleted.get(place.key()).is_some_and(|pinned| *pinned != key) {
            return Err(ContactError::KeyChanged);
        }
        deleted.remove(place.key());
        //= spec/protocol.md#contacts
        //# CON-1. A contact MUST be unverified until its fingerprint was compared or its key was scanned from its owner's screen.
        place.insert(Contact { name, key, trust: Trust::Unverified });
        Ok(())
    }

    /// Removes a contact and gives it. What was shared with them stays shared, and their key stays pinned: whoever is
    /// added under this id with another one is noticed.
    ///
    /// # Errors
    /// [`ContactError::NotFound`].
    pub fn delete(&mut self, id: &AccountId) -> Result<Contact, ContactError> {
        let contact = self.contacts.remove(id).ok_or(ContactError::NotFound)?;
        self.deleted.insert(id.clone(), contact.key);
        Ok(contact)
    }

    /// Forgets whose key a deleted contact's was: whoever is added under this id next is taken at their word.
    ///
    /// # Errors
    /// [`ContactError::NotFound`] where none of this id was deleted.
    pub fn forget(&mut self, id: &AccountId) -> Result<(), ContactError> {
        self.deleted.remove(id).map(drop).ok_or(ContactError::NotFound)
    }

    /// Calls a contact by another name; id, key and trust stay.
    ///
    /// # Errors
    /// [`ContactError::NotFound`].
    pub fn rename(&mut self, id: &AccountId, name: ContactName) -> Result<(), ContactError> {
        self.get_mut(id)?.name = name;
        Ok(())
    }

    /// The contact of this id.
    #[must_use]
    pub fn get(&self, id: &AccountId) -> Option<&Contact> {
        self.contacts.get(id)
    }

    /// Whose key this is: the subject of a grant, say. Nothing keeps two contacts from having one key: a verified one comes
    /// before an unverified one, then the id that sorts first.
    #[must_use]
    pub fn by_key(&self, key: &PublicKey) -> Option<(&AccountId, &Contact)> {
        let having = || self.iter().filter(|(_, contact)| contact.key == *key);
        having().find(|(_, contact)| contact.trust == Trust::Verified).or_else(|| having().next())
    }

    /// All contacts, sorted by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&AccountId, &Contact)> {
        self.contacts.iter()
    }

    /// How many contacts there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// Makes a contact [`Verified`](Trust::Verified) if `read_out`, which the contact read from their
    /// own device, is the fingerprint of the pinned key.
    ///
    /// # Errors
    /// [`ContactError::NotFound`], or [`ContactError::FingerprintMismatch`]: the pinned key is not
    /// the one on the contact's device.
    pub fn verify(&mut self, crypto: &impl Hash, id: &AccountId, read_out: &Fingerprint) -> Result<(), ContactError> {
        let contact = self.get_mut(id)?;
        //= spec/protocol.md#contacts
        //# CON-1. A contact MUST be unverified until its fingerprint was compared or its key was scanned from its owner's screen.
        if Fingerprint::of(crypto, &contact.key) != *read_out {
            return Err(ContactError::FingerprintMismatch);
        }
        contact.trust = Trust::Verified;
        Ok(())
    }

    /// Makes a contact [`Verified`](Trust::Verified) if `scanned`, the whole key from a QR code on
    /// the contact's device, is the pinned key.
    ///
    /// # Errors
    /// [`ContactError::NotFound`] or [`ContactError::ScannedKeyMismatch`].
    pub fn verify_key(&mut self, id: &AccountId, scanned: &PublicKey) -> Result<(), ContactError> {
        let contact = self.get_mut(id)?;
        //= spec/protocol.md#contacts
        //# CON-1. A contact MUST be unverified until its fingerprint was compared or its key was scanned from its owner's screen.
        if contact.key != *scanned {
            return Err(ContactError::ScannedKeyMismatch);
        }
        contact.trust = Trust::Verified;
        Ok(())
    }

    /// Compares the key that the directory names now with the pinned one. Changes nothing.
    ///
    /// # Errors
    /// [`ContactError::NotFound`]; [`ContactError::Key`] where the named key is no good key;
    /// [`ContactError::KeyChanged`] where it is another: ask the owner, then
    /// [`accept_changed_key`](Self::accept_changed_key).
    pub fn observe(&self, id: &AccountId, key: &PublicKey) -> Result<(), ContactError> {
        let contact = self.get(id).ok_or(ContactError::NotFound)?;
        key.check()?;
        //= spec/protocol.md#contacts
        //# CON-2. A changed key of a contact MUST be an error until it is accepted explicitly.
        if contact.key == *key { Ok(()) } else { Err(ContactError::KeyChanged) }
    }

    /// Pins another key, as the owner decided; the contact is [`Unverified`](Trust::Unverified)
    /// again. Of a deleted contact: it can be added with this key then.
    ///
    /// # Errors
    /// [`ContactError::NotFound`], [`ContactError::Key`], or [`ContactError::KeyNotChanged`] where
    /// the key is the pinned one.
    pub fn accept_changed_key(&mut self, id: &AccountId, key: PublicKey) -> Result<(), ContactError> {
        let contact = self.contacts.get_mut(id);
        let (pinned, trust) = match contact {
            Some(Contact { key, trust, .. }) => (key, Some(trust)),
            None => (self.deleted.get_mut(id).ok_or(ContactError::NotFound)?, None),
        };
        //= spec/protocol.md#contacts
        //# CON-5. A contact MUST NOT be pinned with a key that fails KEY-1 or KEY-2.
        key.check()?;
        if *pinned == key {
            return Err(ContactError::KeyNotChanged);
        }
        *pinned = key;
        //= spec/protocol.md#contacts
        //# CON-3. A contact whose changed key was accepted MUST be unverified again.
        if let Some(trust) = trust {
            *trust = Trust::Unverified;
        }
        Ok(())
    }

    fn get_mut(&mut self, id: &AccountId) -> Result<&mut Contact, ContactError> {
        //= spec/protocol.md#contacts
        //# CON-10. Each operation on the contacts MUST make the checks of the table, in its order, and change nothing where one of them fails.
        self.contacts.get_mut(id).ok_or(ContactError::NotFound)
    }
}
