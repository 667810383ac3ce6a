//! Does every provider compute what the standards say?
#![cfg_attr(not(feature = "ring"), allow(dead_code, unused_imports, unused_macros, reason = "no provider to check"))]

use core::num::NonZeroU32;

use sharekey::crypto::{Agree, AgreementKey, Hash, Kdf, Mac, PublicKey, Sign, Signature, Stretch, Verify};
use sharekey::error::NonContributory;
use sharekey::secret::{AgreementSecret, Seed};

use sharekey_stage::hex::{array, bytes};

/// Runs every check of this file under one provider.
macro_rules! under {
    ($name:ident, $provider:expr) => {
        mod $name {
            #[test]
            fn ed25519_is_rfc_8032s() {
                super::ed25519(&$provider);
            }

            #[test]
            fn x25519_is_rfc_7748s() {
                super::x25519(&$provider);
            }

            #[test]
            fn x25519_keys_of_low_order_do_not_contribute() {
                super::x25519_low_order(&$provider);
            }

            #[test]
            fn sha256_is_fips_180s_over_parts() {
                super::sha256(&$provider);
            }

            #[test]
            fn hmac_sha256_is_rfc_4231s_over_parts() {
                super::hmac(&$provider);
            }

            #[test]
            fn hkdf_sha256_is_rfc_5869s() {
                super::hkdf(&$provider);
            }

            #[test]
            fn pbkdf2_sha256_is_rfc_7914s() {
                super::pbkdf2(&$provider);
            }
        }
    };
}

#[cfg(feature = "ring")]
under!(ring, sharekey::crypto::Ring);
#[cfg(feature = "rustcrypto")]
under!(rustcrypto, sharekey::crypto::RustCrypto);

/// Seed, public key, message, signature of RFC 8032, section 7.1: tests 1, 2, 3 and SHA(abc).
const ED25519: [[&str; 4]; 4] = [
    [
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
         5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac\
         18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589\
         09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

fn ed25519<P: Sign + Verify>(provider: &P) {
    for [seed, public, message, signature] in ED25519 {
        let key = provider.signing_key(&Seed::from_bytes(array(seed))).unwrap();
        let (public, message) = (PublicKey::from_bytes(array(public)), bytes(message));
        let signature = Signature::from_bytes(array(signature));
        assert_eq!(provider.public_key(&key), public);
        assert_eq!(provider.sign(&key, &[&message]), Ok(signature));
        assert!(provider.verify_equation(&provider.ready(&public).unwrap(), &[&message], &signature));
        assert_eq!(sharekey::crypto::verify(provider, &public, &[&message], &signature), Ok(()));
    }
}

fn agree(provider: &impl Agree, secret: [u8; 32], peer: [u8; 32]) -> Result<[u8; 32], NonContributory> {
    let shared = provider.agree(&AgreementSecret::from_bytes(secret), &AgreementKey::from_bytes(peer))?;
    Ok(*shared.expose())
}

/// RFC 7748, section 5.2 (both functions, the iteration) and section 6.1 (Bob's side).
fn x25519(provider: &impl Agree) {
    for (secret, peer, shared) in [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
        (
            "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
        ),
    ] {
        assert_eq!(agree(provider, array(secret), array(peer)), Ok(array(shared)));
    }

    let bob = AgreementSecret::from_bytes(array("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"));
    let public = array("de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    assert_eq!(provider.agreement_key(&bob), AgreementKey::from_bytes(public));

    let base = array("0900000000000000000000000000000000000000000000000000000000000000");
    let (mut k, mut u) = (base, base);
    for iteration in 1..=1000 {
        (k, u) = (agree(provider, k, u).unwrap(), k);
        if iteration == 1 {
            assert_eq!(k, array("422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"));
        }
    }
    assert_eq!(k, array("684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"));
}

/// All u coordinates of low order: 0, 1, the two of order 8, p − 1, p and p + 1, with the top bit
/// (which X25519 ignores) clear and set.
//= spec/protocol.md#strict-keys
//# KEY-8. A party MUST refuse an X25519 agreement whose result is all zero bytes.
fn x25519_low_order(provider: &impl Agree) {
    for low_order in sharekey_stage::bad::LOW_ORDER {
        let mut peer: [u8; 32] = array(low_order);
        for secret in 0..8 {
            assert_eq!(agree(provider, [secret; 32], peer), Err(NonContributory), "{low_order}");
            peer[31] ^= 0x80;
        }
    }
}

/// What `compute` makes of `whole`, however it is cut into two parts.
fn over_parts(whole: &[u8], compute: impl Fn(&[&[u8]]) -> [u8; 32]) -> [u8; 32] {
    let computed = compute(&[whole]);
    for at in 0..=whole.len() {
        let (left, right) = whole.split_at(at);
        assert_eq!(compute(&[left, &[], right]), computed);
    }
    computed
}

fn sha256(provider: &impl Hash) {
    for (message, digest) in [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
    ] {
        assert_eq!(over_parts(message.as_bytes(), |parts| provider.sha256(parts)), array(digest));
    }
    assert_eq!(provider.sha256(&[]), provider.sha256(&[&[]]));
}

/// RFC 4231, cases 1 to 7.
fn hmac(provider: &impl Mac) {
    let counting: Vec<u8> = (1..=25).collect();
    let large: &[u8] = b"This is a test using a larger than block-size key and a larger than block-size data. \
        The key needs to be hashed before being used by the HMAC algorithm.";
    let cases: [(&[u8], &[u8], &str); 7] = [
        (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (b"Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        (&counting, &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (&[0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552bfa6f7c0a6a8aef8b93f860aab0cd20c5"),
        (
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (&[0xaa; 131], large, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ];
    for (key, message, mac) in cases {
        assert_eq!(over_parts(message, |parts| provider.hmac_sha256(key, parts)), array(mac));
    }
}

/// RFC 5869, cases 1 to 3: the first 32 bytes.
fn hkdf(provider: &impl Kdf) {
    let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    for (salt, ikm, info, okm) in [
        (
            range(0, 12),
            vec![0x0b; 22],
            range(0xf0, 0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        ),
        (
            range(0x60, 0xaf),
            range(0, 0x4f),
            range(0xb0, 0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
        ),
        (vec![], vec![0x0b; 22], vec![], "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
    ] {
        assert_eq!(*provider.hkdf_sha256(&salt, &ikm, &info).unwrap(), array(okm));
    }
}

/// RFC 7914, section 11: the first 32 bytes.
fn pbkdf2(provider: &impl Stretch) {
    for (password, salt, rounds, key) in [
        (&b"passwd"[..], &b"salt"[..], 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
        (b"Password", b"NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"),
    ] {
        assert_eq!(*provider.pbkdf2_sha256(password, salt, NonZeroU32::new(rounds).unwrap()), array(key));
    }
}
