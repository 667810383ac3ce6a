//! What stands in a request.

use serde_json::Value;
use sharekey::crypto::PublicKey;
use sharekey::id::SlotId;
use sharekey::limits::{Action, Limits, OffsetChange, Rights, Schedule, Timestamp, UtcOffset, Weekdays};
use sharekey::lock::{Battery, Clock, Now};

use super::entropy::Entropy;
use super::fail::{Fail, Named};

/// One request: an object with named arguments.
#[derive(Clone, Copy)]
pub struct Request<'a>(pub &'a Value);

impl<'a> Request<'a> {
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    fn need(self, name: &str) -> Result<&'a Value, Fail> {
        self.get(name).ok_or_else(|| Fail::request(format!("{name} is missing")))
    }

    pub fn text(self, name: &str) -> Result<&'a str, Fail> {
        self.need(name)?.as_str().ok_or_else(|| Fail::request(format!("{name} is not a text")))
    }

    pub fn bytes(self, name: &str) -> Result<Vec<u8>, Fail> {
        unhex(self.text(name)?).ok_or_else(|| Fail::request(format!("{name} is not hexadecimal")))
    }

    pub fn optional_bytes(self, name: &str) -> Result<Option<Vec<u8>>, Fail> {
        self.get(name).map(|_| self.bytes(name)).transpose()
    }

    pub fn array<const N: usize>(self, name: &str) -> Result<[u8; N], Fail> {
        let bytes = self.bytes(name)?;
        bytes.try_into().map_err(|_| Fail::request(format!("{name} has not {N} bytes")))
    }

    pub fn key(self, name: &str) -> Result<PublicKey, Fail> {
        self.array(name).map(PublicKey::from_bytes)
    }

    pub fn number(self, name: &str) -> Result<u64, Fail> {
        self.need(name)?.as_u64().ok_or_else(|| Fail::request(format!("{name} is not a number")))
    }

    pub fn number_u32(self, name: &str) -> Result<u32, Fail> {
        u32::try_from(self.number(name)?).map_err(|_| Fail::request(format!("{name} is too large")))
    }

    pub fn time(self, name: &str) -> Result<Timestamp, Fail> {
        self.number(name).map(Timestamp::from_unix_seconds)
    }

    pub fn slot(self) -> Result<SlotId, Fail> {
        let slot = u8::try_from(self.number("slot")?).map_err(|_| Fail::request("slot is too large"))?;
        Ok(SlotId::new(slot))
    }

    pub fn flag(self, name: &str) -> bool {
        self.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub fn action(self) -> Result<Action, Fail> {
        match self.text("action")? {
            "Open" => Ok(Action::Open),
            "Lock" => Ok(Action::Lock),
            other => Err(Fail::request(format!("no action: {other}"))),
        }
    }

    pub fn rights(self) -> Result<Rights, Fail> {
        let bits = u8::try_from(self.number("rights")?).map_err(|_| Fail::request("rights is too large"))?;
        Rights::try_from(bits).named()
    }

    pub fn limits(self) -> Result<Limits, Fail> {
        self.get("limits").map_or(Ok(Limits::NONE), |limits| Request(limits).as_limits())
    }

    fn as_limits(self) -> Result<Limits, Fail> {
        let time = |name| self.get(name).map(|_| self.number(name).map(Timestamp::from_unix_seconds)).transpose();
        let schedule = self.get("schedule").map(|schedule| Request(schedule).as_schedule()).transpose()?;
        let uses = self.get("uses").map(|_| self.number_u32("uses")).transpose()?;
        Limits::new(time("from")?, time("until")?, schedule, uses).named()
    }

    pub fn as_schedule(self) -> Result<Schedule, Fail> {
        let days = u8::try_from(self.number("days")?).map_err(|_| Fail::request("days is too large"))?;
        let minute =
            |name| u16::try_from(self.number(name)?).map_err(|_| Fail::request(format!("{name} is too large")));
        let next = self.get("next").map(|next| Request(next).as_change()).transpose()?;
        let days = Weekdays::try_from(days).named()?;
        Schedule::new(days, minute("start")?, minute("end")?, self.offset()?, next).named()
    }

    fn as_change(self) -> Result<OffsetChange, Fail> {
        Ok(OffsetChange { at: Timestamp::from_unix_seconds(self.number("at")?), offset: self.offset()? })
    }

    fn offset(self) -> Result<UtcOffset, Fail> {
        let minutes = self.need("offset")?.as_i64().and_then(|minutes| i16::try_from(minutes).ok());
        UtcOffset::from_minutes(minutes.ok_or_else(|| Fail::request("offset is no number of minutes"))?).named()
    }

    pub fn now(self) -> Result<Now, Fail> {
        let now = Request(self.need("now")?);
        let clock = match now.need("clock")? {
            Value::String(text) if text == "Absent" => Clock::Absent,
            Value::String(text) if text == "Unset" => Clock::Unset,
            _ => Clock::At(Timestamp::from_unix_seconds(now.number("clock")?)),
        };
        let battery = u8::try_from(now.number("battery")?).ok().and_then(|byte| Battery::try_from(byte).ok());
        let battery = battery.ok_or_else(|| Fail::request("battery is no byte that stands for one"))?;
        Ok(Now { ticks: now.number("ticks")?, clock, battery })
    }

    /// The entropy of the request: a text, or a list of draws, each a text or `{"for", "hex"}`.
    pub fn entropy(self) -> Result<Entropy, Fail> {
        let wrong = || Fail::request("entropy is not hexadecimal");
        let Some(given) = self.get("entropy") else { return Ok(Entropy::of(None)) };
        let one = |draw: &Value| draw.get("hex").unwrap_or(draw).as_str().and_then(unhex).ok_or_else(wrong);
        let bytes = match given {
            Value::Array(draws) => draws.iter().map(one).collect::<Result<Vec<_>, _>>()?.concat(),
            text => one(text)?,
        };
        Ok(Entropy::of(Some(bytes)))
    }
}

pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect()
}
