//! An X.509 certificate of the guest's key by the owner, read by rustls-webpki. Lock, slot, number and rights
//! stand in a URI, the one name that holds them all.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, IsCa, Issuer, KeyPair, PKCS_ED25519,
    PublicKeyData, SanType, SignatureAlgorithm,
};
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, UnixTime};
use time::OffsetDateTime;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert, ring::ED25519};

use super::Peer;
use crate::payload::{OWNER, Payload, pkcs8};

/// The bytes of a SubjectPublicKeyInfo of Ed25519 before the key.
const KEY_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

struct GuestKey([u8; 32]);

impl PublicKeyData for GuestKey {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ED25519
    }
}

fn owner() -> KeyPair {
    let key = PrivatePkcs8KeyDer::from(pkcs8([OWNER; 32]));
    KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_ED25519).expect("a key")
}

fn root_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

fn certificate(payload: &Payload, issuer: &Issuer<'_, KeyPair>) -> Certificate {
    let date = |seconds: u64| OffsetDateTime::from_unix_timestamp(seconds.try_into().expect("a date")).expect("a date");
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.serial_number = Some(u64::from(payload.generation).into());
    (params.not_before, params.not_after) = (date(payload.from), date(payload.until));
    let uri = format!("k:{}/{}/{}", URL_SAFE_NO_PAD.encode(payload.lock), payload.slot, payload.rights);
    params.subject_alt_names = vec![SanType::URI(uri.try_into().expect("ASCII"))];
    params.signed_by(&GuestKey(payload.guest), issuer).expect("it signs")
}

pub fn peer(payloads: &[Payload]) -> Peer {
    let root = root_params().self_signed(&owner()).expect("it signs");
    let issuer = Issuer::new(root_params(), owner());
    // What the library checks and does not give is not compared.
    let checked = |payload: &Payload| Payload { from: 0, until: 0, ..payload.clone() };
    let mut peer = Peer::new(
        "X.509 (rustls-webpki, ring)",
        payloads,
        |payload| certificate(payload, &issuer).der().to_vec(),
        move |token| read(token, root.der()),
    );
    peer.tokens.iter_mut().for_each(|(_, payload)| *payload = checked(payload));
    peer
}

fn read(token: &[u8], root: &CertificateDer<'_>) -> Option<Payload> {
    let anchor = anchor_from_trusted_cert(root).ok()?;
    let token = CertificateDer::from(token);
    let certificate = EndEntityCert::try_from(&token).ok()?;
    certificate
        .verify_for_usage(&[ED25519], &[anchor], &[], UnixTime::now(), KeyUsage::client_auth(), None, None)
        .ok()?;
    let uri = certificate.valid_uri_names().next()?.strip_prefix("k:")?;
    let mut parts = uri.split('/');
    let lock = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?.try_into().ok()?;
    let (slot, rights) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let generation = certificate.serial().iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
    let key = certificate.subject_public_key_info();
    let guest = key.strip_prefix(&KEY_PREFIX)?.try_into().ok()?;
    Some(Payload { lock, slot, generation, guest, from: 0, until: 0, rights })
}
