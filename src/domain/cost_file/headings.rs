//! The headings that ad platforms give their columns, as their cabinets export them in Russian and English.

/// What a column says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostField {
    Date,
    /// The last day of a line that covers several.
    Until,
    Source,
    Medium,
    Campaign,
    Amount,
    Currency,
    Impressions,
    Clicks,
}

impl CostField {
    pub const ALL: [CostField; 9] = [
        CostField::Date,
        CostField::Until,
        CostField::Source,
        CostField::Medium,
        CostField::Campaign,
        CostField::Amount,
        CostField::Currency,
        CostField::Impressions,
        CostField::Clicks,
    ];

    pub fn name(self) -> &'static str {
        match self {
            CostField::Date => "date",
            CostField::Until => "until",
            CostField::Source => "source",
            CostField::Medium => "medium",
            CostField::Campaign => "campaign",
            CostField::Amount => "amount",
            CostField::Currency => "currency",
            CostField::Impressions => "impressions",
            CostField::Clicks => "clicks",
        }
    }

    /// Headings it has, before a unit in brackets or after a comma, the likeliest first.
    fn headings(self) -> &'static [&'static str] {
        match self {
            CostField::Date => {
                &["date", "day", "дата", "день", "reporting starts", "начало отчетности", "дата начала отчетности"]
            }
            CostField::Until => &["reporting ends", "окончание отчетности", "дата окончания отчетности"],
            CostField::Source => &["source", "utm_source", "источник"],
            CostField::Medium => &["medium", "utm_medium", "канал"],
            CostField::Campaign => {
                &["campaign", "utm_campaign", "campaignname", "campaign name", "название кампании", "кампания", "имя кампании"]
            }
            CostField::Amount => &[
                "amount",
                "cost",
                "amount spent",
                "spend",
                "spent",
                "расход",
                "расходы",
                "расход всего",
                "стоимость",
                "потраченная сумма",
                "сумма затрат",
                "потрачено",
                "потрачено всего",
                "списано",
                "затраты",
                "сумма",
            ],
            CostField::Currency => &["currency", "currency code", "код валюты", "валюта"],
            CostField::Impressions => &["impressions", "impr.", "impr", "показы"],
            CostField::Clicks => {
                &["clicks", "link clicks", "clicks (all)", "клики", "переходы", "клики по ссылке", "клики (все)"]
            }
        }
    }
}

impl std::str::FromStr for CostField {
    type Err = String;
    fn from_str(text: &str) -> Result<CostField, String> {
        CostField::ALL.into_iter().find(|field| field.name() == text).ok_or_else(|| "is not a column of this import".to_owned())
    }
}

/// Whose cabinet a file is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    YandexDirect,
    VkAds,
    GoogleAds,
    Meta,
}

impl Platform {
    pub fn name(self) -> &'static str {
        match self {
            Platform::YandexDirect => "Yandex Direct",
            Platform::VkAds => "VK Ads",
            Platform::GoogleAds => "Google Ads",
            Platform::Meta => "Meta",
        }
    }

    /// Headings that only one of them has.
    pub(super) fn of_head(cells: &[String]) -> Option<Platform> {
        const TELLING: [(Platform, &[&str]); 4] = [
            (
                Platform::Meta,
                &[
                    "amount spent",
                    "потраченная сумма",
                    "сумма затрат",
                    "reporting starts",
                    "начало отчетности",
                    "link clicks",
                    "клики по ссылке",
                ],
            ),
            (Platform::GoogleAds, &["impr.", "currency code", "код валюты"]),
            (Platform::VkAds, &["потрачено всего", "потрачено", "списано", "id кампании vk"]),
            (Platform::YandexDirect, &["campaignname", "campaignid", "№ кампании", "номер кампании", "расход", "расход всего"]),
        ];
        let has = |headings: &[&str]| cells.iter().any(|cell| headings.contains(&bare(cell).as_str()));
        TELLING.into_iter().find(|(_, headings)| has(headings)).map(|(platform, _)| platform)
    }

    /// What stands for a field that its export does not have: as its own UTM marks are by custom.
    pub(super) fn usual(self, field: CostField) -> Option<&'static str> {
        match (self, field) {
            (Platform::YandexDirect, CostField::Source) => Some("yandex"),
            (Platform::VkAds, CostField::Source) => Some("vk"),
            (Platform::GoogleAds, CostField::Source) => Some("google"),
            (Platform::Meta, CostField::Source) => Some("facebook"),
            (_, CostField::Medium) => Some("cpc"),
            _ => None,
        }
    }

    /// Whether amounts have a decimal comma; the others write as the interface's language does, which the headings tell.
    pub(super) fn writes_commas(self) -> bool {
        self == Platform::VkAds
    }
}

pub(super) fn same(cell: &str, wanted: &str) -> bool {
    cell.trim().to_lowercase() == wanted.trim().to_lowercase()
}

/// A heading without its unit: `Расход (руб.)`, `Расход, ₽` and `Amount spent (RUB)`; `clicks (all)` is one of its own.
fn bare(cell: &str) -> String {
    let folded = cell.trim().to_lowercase().replace('ё', "е").replace('\u{a0}', " ");
    if CostField::ALL.iter().any(|field| field.headings().contains(&folded.as_str())) {
        return folded;
    }
    let end = folded.find(['(', ',', '₽', '$', '€']).unwrap_or(folded.len());
    folded[..end].trim().to_owned()
}

/// Where a field stands, by the likeliest of its headings.
pub(super) fn find(cells: &[String], field: CostField) -> Option<usize> {
    let bare: Vec<String> = cells.iter().map(|cell| bare(cell)).collect();
    field.headings().iter().find_map(|heading| bare.iter().position(|cell| cell == heading))
}

/// The currency that a heading names.
pub(super) fn currency_in(heading: &str) -> Option<&'static str> {
    const SIGNS: [(&str, &str); 12] = [
        ("rub", "RUB"),
        ("руб", "RUB"),
        ("₽", "RUB"),
        ("р.", "RUB"),
        ("usd", "USD"),
        ("$", "USD"),
        ("eur", "EUR"),
        ("€", "EUR"),
        ("kzt", "KZT"),
        ("₸", "KZT"),
        ("byn", "BYN"),
        ("uah", "UAH"),
    ];
    let folded = heading.to_lowercase();
    SIGNS.iter().find(|(sign, _)| folded.contains(sign)).map(|(_, code)| *code)
}

pub(super) fn is_cyrillic(text: &str) -> bool {
    text.chars().any(|c| ('\u{400}'..='\u{4ff}').contains(&c))
}
