//! The customers' own referral program: what the referrer is paid, what the friend is spared, and the signed address of the
//! page where a referrer sees both.

use super::id::{ReferrerId, RuleId};
use super::signature;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};

/// A share of an order, or a fixed amount of it in the program's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    PercentPpm(i64),
    FixedMinor(i64),
}

/// What makes a program one of kind `referral`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ReferralTerms {
    /// What the referrer is paid for each order of a friend.
    pub reward: Share,
    /// The commission rule that says the same.
    pub rule: RuleId,
    /// What a referrer's code takes off for the friend.
    pub friend_discount: Option<Share>,
    /// Where referrers' links lead.
    pub url: String,
}

/// What the address of a page is signed for.
const PURPOSE: &str = "referrer page";

/// Why an address of a referrer's page opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PageTokenError {
    #[error("the address is not one of ours")]
    Forged,
    #[error("the address is no longer valid")]
    Expired,
}

/// The token of a referrer's page: id and last second (8 bytes each, big-endian), then HMAC-SHA256 of both, in base64url.
pub fn page_token(key: &[u8; 32], referrer: ReferrerId, expires_at: DateTime<Utc>) -> String {
    let mut bytes = referrer.0.to_be_bytes().to_vec();
    bytes.extend(expires_at.timestamp().to_be_bytes());
    let signed = signature::sign(key, PURPOSE, &bytes);
    bytes.extend(signed);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whose page a token opens.
pub fn read_page_token(key: &[u8; 32], token: &str, now: DateTime<Utc>) -> Result<ReferrerId, PageTokenError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| PageTokenError::Forged)?;
    let (message, signed) = bytes.split_at_checked(16).ok_or(PageTokenError::Forged)?;
    if !signature::verify(key, PURPOSE, message, signed) {
        return Err(PageTokenError::Forged);
    }
    let (id, expires_at) = message.split_first_chunk::<8>().ok_or(PageTokenError::Forged)?;
    let expires_at = expires_at.try_into().map(i64::from_be_bytes).map_err(|_| PageTokenError::Forged)?;
    if now.timestamp() > expires_at {
        return Err(PageTokenError::Expired);
    }
    Ok(ReferrerId(i64::from_be_bytes(*id)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn an_address_opens_its_own_page_until_it_expires() {
        let (key, now) = ([7; 32], DateTime::from_timestamp(1_764_000_000, 0).unwrap());
        let token = page_token(&key, ReferrerId(17), now + TimeDelta::days(1));
        assert_eq!(read_page_token(&key, &token, now), Ok(ReferrerId(17)));
        assert_eq!(read_page_token(&key, &token, now + TimeDelta::days(1)), Ok(ReferrerId(17)));
        assert_eq!(read_page_token(&key, &token, now + TimeDelta::seconds(86_401)), Err(PageTokenError::Expired));
        assert_eq!(read_page_token(&[8; 32], &token, now), Err(PageTokenError::Forged), "the key of another store");
        assert_ne!(token, page_token(&key, ReferrerId(18), now + TimeDelta::days(1)));
    }

    #[test]
    fn an_address_with_any_bit_changed_opens_nothing() {
        let (key, now) = ([7; 32], DateTime::from_timestamp(1_764_000_000, 0).unwrap());
        let bytes = URL_SAFE_NO_PAD.decode(page_token(&key, ReferrerId(17), now)).unwrap();
        assert_eq!(bytes.len(), 48);
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read_page_token(&key, &URL_SAFE_NO_PAD.encode(&forged), now), Err(PageTokenError::Forged), "bit {bit}");
        }
        for text in ["", "x", "=", &URL_SAFE_NO_PAD.encode(&bytes[..47]), &URL_SAFE_NO_PAD.encode(&bytes[..16])] {
            assert_eq!(read_page_token(&key, text, now), Err(PageTokenError::Forged), "{text}");
        }
    }
}
