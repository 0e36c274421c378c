//! HMAC-SHA256 (RFC 2104): a text is signed for one purpose, so that what was signed for one is worth nothing for another.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

fn mac(key: &[u8; 32], purpose: &str, message: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
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
