//! The comparison of everything that is compared in constant time.

use sharekey::code::ShareCode;
use sharekey::crypto::Tag;
use sharekey::secret::{ActivationSecret, AgreementSecret, MacKey, PairingKey, Seed, SharedSecret};

use super::Case;
use crate::control;
use crate::scene::rng;
use crate::watch::{Hidden, hide, public};

macro_rules! comparison {
    ($type:ident, $len:literal) => {
        comparison(stringify!($type), |a, b| $type::from_bytes(*a) == $type::from_bytes(*b), [0; $len])
    };
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        comparison!(Seed, 32),
        comparison!(ActivationSecret, 16),
        comparison!(PairingKey, 32),
        comparison!(AgreementSecret, 32),
        comparison!(SharedSecret, 32),
        comparison!(MacKey, 32),
        comparison!(Tag, 16),
        codes(),
    ]
}

fn comparison<const N: usize>(
    name: &'static str,
    equal: impl Fn(&[u8; N], &[u8; N]) -> bool + 'static,
    zero: [u8; N],
) -> Case {
    let leaks = move |name: &str, equal: fn(&[u8; N], &[u8; N]) -> bool| -> (String, Box<dyn FnOnce()>) {
        (name.to_owned(), Box::new(move || compare(equal, zero)))
    };
    let controls = vec![leaks("ends at the first difference", |a, b| control::early_exit(a, b))];
    Case { name, provider: "-", clean: Box::new(move || compare(equal, zero)), controls }
}

/// Equal ones, and ones that differ at the beginning, in the middle and at the end.
fn compare<const N: usize>(equal: impl Fn(&[u8; N], &[u8; N]) -> bool, zero: [u8; N]) {
    for differs in [None, Some(0), Some(N / 2), Some(N - 1)] {
        let (mut a, mut b) = (zero, zero);
        if let Some(at) = differs {
            b[at] ^= 0x40;
        }
        hide(&mut a);
        hide(&mut b);
        assert_eq!(public(equal(&a, &b)), differs.is_none());
    }
}

fn codes() -> Case {
    let control = || {
        let (mut a, mut b) = (*b"7K3QXM9TFR2AW8BC4DFY", *b"7K3QXM9TFR2AW8BC4DFZ");
        hide(&mut a);
        hide(&mut b);
        assert!(!public(control::early_exit(&a, &b)));
    };
    Case {
        name: "ShareCode",
        provider: "-",
        clean: Box::new(|| {
            let issue = |seed| ShareCode::issue(&mut Hidden(rng(seed)));
            assert!(public(issue(1) == issue(1)));
            assert!(!public(issue(1) == issue(2)));
        }),
        controls: vec![("ends at the first difference".to_owned(), Box::new(control))],
    }
}
