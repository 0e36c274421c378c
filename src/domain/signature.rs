//! HMAC-SHA256 (RFC 2104): a text is signed for one purpose, so that what was signed for one is worth nothing for another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The bare HMAC under a key. A key shorter than the hash's block of 64 bytes is filled up with zeros (RFC 2104, 2).
pub(super) fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

fn mac(key: &[u8; 32], purpose: &str, message: &[u8]) -> Hmac<Sha256> {
    let mut mac = keyed(key);
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(message);
    mac
}

/// The 32 bytes that prove that whoever holds the key said `message`.
pub fn sign(key: &[u8; 32], purpose: &str, message: &[u8]) -> [u8; 32] {
    mac(key, purpose, message).finalize().into_bytes().into()
}

/// Whether `signature` is [`sign`]'s; takes as long for a wrong one as for a right one.
pub fn verify(key: &[u8; 32], purpose: &str, message: &[u8], signature: &[u8]) -> bool {
    mac(key, purpose, message).verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bare_hmac_is_that_of_rfc_4231() {
        // Test case 2 of the RFC has the key "Jefe", which zeros do not change.
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let mac = keyed(&key).chain_update(b"what do ya want for nothing?").finalize().into_bytes();
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(mac), expected);
    }

    #[test]
    fn a_signature_holds_for_its_key_purpose_and_message_alone() {
        let signed = sign(&[1; 32], "page", b"17");
        assert!(verify(&[1; 32], "page", b"17", &signed));
        assert!(!verify(&[2; 32], "page", b"17", &signed));
        assert!(!verify(&[1; 32], "pag", b"e17", &signed));
        assert!(!verify(&[1; 32], "page", b"18", &signed));
        assert!(!verify(&[1; 32], "page", b"17", &signed[..31]));
        assert!(!verify(&[1; 32], "page", b"17", b""));
    }
}
