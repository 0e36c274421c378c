//! The names of the requisites: as keys of the API, and as words in a sentence.

/// One requisite, or another field of a payout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    Method,
    Country,
    Kind,
    Name,
    Inn,
    Kpp,
    Ogrn,
    Address,
    ContractNumber,
    ContractDate,
    NpdSince,
    NpdCheckedOn,
    Bik,
    Account,
    CorrespondentAccount,
    BankName,
    Iban,
    Swift,
    Email,
    RecipientId,
}

impl Field {
    pub const ALL: [Field; 20] = [
        Field::Method,
        Field::Country,
        Field::Kind,
        Field::Name,
        Field::Inn,
        Field::Kpp,
        Field::Ogrn,
        Field::Address,
        Field::ContractNumber,
        Field::ContractDate,
        Field::NpdSince,
        Field::NpdCheckedOn,
        Field::Bik,
        Field::Account,
        Field::CorrespondentAccount,
        Field::BankName,
        Field::Iban,
        Field::Swift,
        Field::Email,
        Field::RecipientId,
    ];

    /// Its key in a payout, in `POST /v1/requisites/check` and in JSON pointers.
    pub fn key(self) -> &'static str {
        self.names().0
    }

    /// Its name after "the".
    pub fn label(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Field::Method => ("method", "payout method"),
            Field::Country => ("country", "country"),
            Field::Kind => ("kind", "kind of payee"),
            Field::Name => ("name", "payee's name"),
            Field::Inn => ("inn", "INN"),
            Field::Kpp => ("kpp", "KPP"),
            Field::Ogrn => ("ogrn", "OGRN"),
            Field::Address => ("address", "payee's address"),
            Field::ContractNumber => ("contract_number", "contract's number"),
            Field::ContractDate => ("contract_date", "contract's date"),
            Field::NpdSince => ("npd_since", "day the self-employed status began"),
            Field::NpdCheckedOn => ("npd_checked_on", "day the self-employed status was checked"),
            Field::Bik => ("bik", "BIK"),
            Field::Account => ("account", "account"),
            Field::CorrespondentAccount => ("correspondent_account", "correspondent account"),
            Field::BankName => ("bank_name", "bank's name"),
            Field::Iban => ("iban", "IBAN"),
            Field::Swift => ("swift", "SWIFT code"),
            Field::Email => ("email", "e-mail address"),
            Field::RecipientId => ("recipient_id", "recipient id"),
        }
    }
}
