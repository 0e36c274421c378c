//! One newtype per table; outside, an id is its prefix and a number (`par_17`).

/// The text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an id that starts with {prefix}")]
pub struct WrongId {
    text: String,
    prefix: &'static str,
}

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl $name {
            /// What the outside form starts with.
            pub const PREFIX: &'static str = $prefix;
            /// Of what has no id yet: nothing that is stored comes after it.
            pub const NOT_STORED: $name = $name(i64::MAX);
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}{}", $prefix, self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = WrongId;
            fn from_str(text: &str) -> Result<Self, WrongId> {
                text.strip_prefix($prefix)
                    .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                    .and_then(|digits| digits.parse().ok())
                    .map($name)
                    .ok_or_else(|| WrongId { text: text.chars().take(60).collect(), prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                if s.is_human_readable() { s.collect_str(self) } else { s.serialize_i64(self.0) }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                if !d.is_human_readable() {
                    return i64::deserialize(d).map($name);
                }
                <std::borrow::Cow<'de, str>>::deserialize(d)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

id! {
    /// Terms offered to partners.
    ProgramId, "pro_";
    /// Who is paid.
    PartnerId, "par_";
    /// A tracking link.
    LinkId, "lnk_";
    /// One of a link's several destinations.
    TargetId, "tgt_";
    /// A promo code.
    PromoCodeId, "prm_";
    /// A commission rule.
    RuleId, "rul_";
    LeadId, "lea_";
    /// A sale.
    OrderId, "ord_";
    /// What one order owes one partner under one rule.
    CommissionId, "com_";
    /// A set of ledger entries that sums to zero.
    JournalId, "jrn_";
    /// A payout run.
    PayoutRunId, "pay_";
    /// Visitors and customers known to be the same.
    PersonId, "per_";
    /// One person found to be another.
    MergeId, "mrg_";
    /// Somebody who signs in.
    UserId, "usr_";
    /// An API key.
    KeyId, "key_";
    /// What a partner shows: a banner, a text, a video.
    CreativeId, "cre_";
    /// A customer who recommends.
    ReferrerId, "ref_";
    /// What needs a person's look.
    NoticeId, "ntc_";
    /// A statement or an act.
    DocumentId, "doc_";
    /// A receipt of a self-employed partner.
    ReceiptId, "rcp_";
    /// Something that found no match.
    MissId, "mis_";
    /// A ledger entry.
    EntryId, "ent_";
    /// A cost of one day, source, medium and campaign.
    CostId, "cst_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints() {
        assert_eq!("par_17".parse(), Ok(PartnerId(17)));
        assert_eq!(PartnerId(17).to_string(), "par_17");
    }

    #[test]
    fn a_foreign_prefix_a_sign_and_an_overflow_are_refused() {
        for text in ["lnk_17", "par_", "par_-1", "par_+1", "17", "par_99999999999999999999"] {
            assert!(text.parse::<PartnerId>().is_err(), "{text}");
        }
    }
}
