//! Why a request failed, by the names of the spec.

use serde_json::{Value, json};
use sharekey::error::Blame;
use sharekey::lock::Refusal;

use super::form::hex;

/// The name of an error, and what a lock answers with it.
#[derive(Debug)]
pub struct Fail {
    pub name: String,
    pub answer: Option<Vec<u8>>,
    /// What is wrong with a request that is none.
    pub about: Option<String>,
}

pub type Outcome = Result<Value, Fail>;

/// The name of an error as the spec writes it, `Wire.Truncated` or `GrantSignature.Key.SmallOrder`: its code without
/// whose it is, which whoever asked knows.
pub fn error_name(error: &impl Blame) -> String {
    error.name().split_once('.').map(|(_, name)| name.to_owned()).unwrap_or_default()
}

impl Fail {
    pub fn of(error: &impl Blame) -> Self {
        Self { name: error_name(error), answer: None, about: None }
    }

    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), answer: None, about: None }
    }

    /// The request itself is wrong: nothing that the protocol knows of.
    pub fn request(about: impl Into<String>) -> Self {
        Self { name: "Request".to_owned(), answer: None, about: Some(about.into()) }
    }

    pub fn refused(refusal: &Refusal) -> Self {
        Self { answer: Some(refusal.answer().to_vec()), ..Self::of(&refusal.error()) }
    }

    pub fn to_json(&self) -> Value {
        let mut json = json!({ "error": self.name });
        if let Some(answer) = &self.answer {
            json["answer"] = hex(answer);
        }
        if let Some(about) = &self.about {
            json["about"] = about.as_str().into();
        }
        json
    }
}

/// Turns any error of the library into its name.
pub trait Named<T> {
    fn named(self) -> Result<T, Fail>;
}

impl<T, E: Blame> Named<T> for Result<T, E> {
    fn named(self) -> Result<T, Fail> {
        self.map_err(|error| Fail::of(&error))
    }
}
