//! The owner's contact list.

use sharekey::contacts::Trust;
use sharekey::id::ContactName;

use super::Phone;
use crate::cli::ContactCommand;
use crate::home::CRYPTO;
use crate::refusal::By as _;
use crate::show::table;

impl Phone<'_> {
    pub fn contact(&self, command: ContactCommand) -> anyhow::Result<()> {
        let mut contacts = self.contacts()?;
        let voice = self.voice();
        match command {
            ContactCommand::Add { id, key } => {
                let name: ContactName = id.as_str().parse().by(&voice)?;
                let text = id.to_string();
                contacts.add(id, name, key).by(&voice)?;
                self.save_contacts(&contacts)?;
                println!("{text} is a contact now, unverified: compare the fingerprint with \"contact verify\".");
            }
            ContactCommand::Verify { id, fingerprint } => {
                contacts.verify(&CRYPTO, &id, &fingerprint).by(&voice)?;
                self.save_contacts(&contacts)?;
                println!("{id} is verified: the key is the one on {id}'s own device.");
            }
            ContactCommand::Accept { id, key } => {
                contacts.accept_changed_key(&id, key).by(&voice)?;
                self.save_contacts(&contacts)?;
                println!(
                    "The new key of {id} is accepted, unverified: compare the fingerprint with \"contact verify\"."
                );
            }
            ContactCommand::Delete { id } => {
                contacts.delete(&id).by(&voice)?;
                self.save_contacts(&contacts)?;
                println!("{id} is no contact any more. What was shared with {id} stays shared.");
            }
            ContactCommand::List => self.list_contacts()?,
        }
        Ok(())
    }

    fn list_contacts(&self) -> anyhow::Result<()> {
        let contacts = self.contacts()?;
        if contacts.is_empty() {
            println!("No contacts yet.");
            return Ok(());
        }
        let rows = contacts.iter().map(|(id, contact)| {
            let trust = match contact.trust() {
                Trust::Verified => "verified",
                Trust::Unverified => "unverified",
            };
            vec![id.to_string(), trust.into(), contact.key().to_string()]
        });
        print!("{}", table(&["contact", "trust", "key"], &rows.collect::<Vec<_>>()));
        Ok(())
    }
}
