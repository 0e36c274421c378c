//! What a user agent says of device, system and browser. First match wins, so the tables run from the particular to the
//! general: nearly everybody calls himself Mozilla, and Edge calls itself Chrome.

use super::link_target::Device;

/// What is known of a user agent; names as people write them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Client {
    pub device: Device,
    pub os: Option<&'static str>,
    pub browser: Option<&'static str>,
}

const SYSTEMS: &[(&str, &str)] = &[
    ("Windows Phone", "Windows Phone"),
    ("IEMobile", "Windows Phone"),
    ("Windows CE", "Windows Mobile"),
    ("Windows Mobile", "Windows Mobile"),
    ("Xbox", "Xbox"),
    ("PlayStation", "PlayStation"),
    ("PLAYSTATION", "PlayStation"),
    ("Nintendo", "Nintendo"),
    ("HarmonyOS", "HarmonyOS"),
    ("OpenHarmony", "HarmonyOS"),
    ("Tizen", "Tizen"),
    ("Web0S", "webOS"),
    ("webOS", "webOS"),
    ("hpwOS", "webOS"),
    ("KAIOS", "KaiOS"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("iPod", "iOS"),
    ("Android", "Android"),
    ("Adr ", "Android"),
    ("Dalvik", "Android"),
    ("BlackBerry", "BlackBerry"),
    ("BB10", "BlackBerry"),
    ("PlayBook", "BlackBerry"),
    ("SymbianOS", "Symbian"),
    ("Symbian", "Symbian"),
    ("Series60", "Symbian"),
    ("Bada", "Bada"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Win64", "Windows"),
    ("Macintosh", "macOS"),
    ("Mac OS X", "macOS"),
    ("Mac_PowerPC", "macOS"),
    ("MIDP", "Java ME"),
    ("J2ME", "Java ME"),
    ("FreeBSD", "BSD"),
    ("OpenBSD", "BSD"),
    ("NetBSD", "BSD"),
    ("SunOS", "Solaris"),
    ("Amiga", "AmigaOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
    ("CFNetwork", "iOS"),
    ("Darwin", "macOS"),
];

const BROWSERS: &[(&str, &str)] = &[
    // Within other people's apps.
    ("Instagram", "Instagram"),
    ("MESSENGER;", "Messenger"),
    ("Orca-Android", "Messenger"),
    ("MessengerForiOS", "Messenger"),
    ("MessengerLiteForiOS", "Messenger"),
    ("FBAN/", "Facebook"),
    ("FBAV/", "Facebook"),
    ("FB_IAB/", "Facebook"),
    ("MicroMessenger", "WeChat"),
    ("musical_ly", "TikTok"),
    ("BytedanceWebview", "TikTok"),
    ("TikTok", "TikTok"),
    ("Snapchat", "Snapchat"),
    ("Pinterest", "Pinterest"),
    ("Twitter for", "X"),
    ("TwitterAndroid", "X"),
    ("LinkedInApp", "LinkedIn"),
    ("[LinkedIn", "LinkedIn"),
    ("VKAndroidApp", "VK"),
    ("com.vk.", "VK"),
    ("VKClient", "VK"),
    ("OKApp", "Odnoklassniki"),
    ("Telegram-Android", "Telegram"),
    ("Telegram", "Telegram"),
    ("Viber/", "Viber"),
    ("KAKAOTALK", "KakaoTalk"),
    (" Line/", "Line"),
    ("GSA/", "Google"),
    ("GoogleWv/", "Google"),
    ("YaApp_", "Yandex"),
    ("YandexSearch", "Yandex"),
    ("YaSearchBrowser", "Yandex"),
    ("baiduboxapp", "Baidu"),
    // Browsers.
    ("YaBrowser", "Yandex Browser"),
    ("Yowser", "Yandex Browser"),
    ("Atom/", "Atom"),
    ("SamsungBrowser", "Samsung Internet"),
    ("MiuiBrowser", "Mi Browser"),
    ("HuaweiBrowser", "Huawei Browser"),
    ("VivoBrowser", "Vivo Browser"),
    ("HeyTapBrowser", "HeyTap Browser"),
    ("OppoBrowser", "Oppo Browser"),
    ("UCBrowser", "UC Browser"),
    ("UCWEB", "UC Browser"),
    ("UBrowser", "UC Browser"),
    ("QQBrowser", "QQ Browser"),
    ("MetaSr", "Sogou Explorer"),
    ("SogouMobileBrowser", "Sogou Explorer"),
    ("360SE", "360 Browser"),
    ("Maxthon", "Maxthon"),
    ("Sputnik", "Sputnik"),
    ("Amigo/", "Amigo"),
    ("Whale/", "Whale"),
    ("Vivaldi", "Vivaldi"),
    ("Brave", "Brave"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Puffin", "Puffin"),
    ("Coc_Coc", "Coc Coc"),
    ("coc_coc_browser", "Coc Coc"),
    ("Iron/", "Iron"),
    ("Electron/", "Electron"),
    ("Edge/", "Edge"),
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Opera Mini", "Opera Mini"),
    ("OPiOS", "Opera Mini"),
    ("OPT/", "Opera Touch"),
    ("OPR/", "Opera"),
    ("OPRGX", "Opera"),
    ("Opera", "Opera"),
    ("Silk/", "Silk"),
    ("SeaMonkey", "SeaMonkey"),
    ("PaleMoon", "Pale Moon"),
    ("Iceweasel", "Firefox"),
    ("Waterfox", "Waterfox"),
    ("Focus/", "Firefox Focus"),
    ("FxiOS", "Firefox"),
    ("Firefox", "Firefox"),
    ("Konqueror", "Konqueror"),
    ("Epiphany", "Epiphany"),
    ("Falkon", "Falkon"),
    ("QupZilla", "QupZilla"),
    ("Midori", "Midori"),
    ("NetFront", "NetFront"),
    ("NokiaBrowser", "Nokia Browser"),
    ("BlackBerry", "BlackBerry Browser"),
    ("BB10", "BlackBerry Browser"),
    ("CriOS", "Chrome"),
    ("HeadlessChrome", "Chrome"),
    ("IEMobile", "Internet Explorer"),
    ("MSIE", "Internet Explorer"),
    ("Trident/", "Internet Explorer"),
    ("; wv)", "Android WebView"),
    ("Chromium", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Android", "Android Browser"),
    ("Safari/", "Safari"),
    ("AppleWebKit", "Safari"),
    ("Lynx", "Lynx"),
    ("ELinks", "ELinks"),
    ("Links", "Links"),
    ("w3m", "w3m"),
    ("Gecko/", "Mozilla"),
];

fn first_in(table: &[(&str, &'static str)], user_agent: &str) -> Option<&'static str> {
    table.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| *name)
}

impl Client {
    /// What `user_agent` says.
    pub fn of_user_agent(user_agent: &str) -> Client {
        Client {
            device: Device::of_user_agent(user_agent),
            os: first_in(SYSTEMS, user_agent),
            browser: first_in(BROWSERS, user_agent),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_system_and_browser_are_told() {
        for (user_agent, device, os, browser) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                Device::Desktop,
                "Windows",
                "Chrome",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 YaBrowser/25.8 Yowser/2.5 Safari/537.36",
                Device::Desktop,
                "Windows",
                "Yandex Browser",
            ),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0",
                Device::Desktop,
                "Windows",
                "Edge",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
                Device::Desktop,
                "macOS",
                "Safari",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1",
                Device::Mobile,
                "iOS",
                "Chrome",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1",
                Device::Tablet,
                "iPadOS",
                "Safari",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
                Device::Mobile,
                "Android",
                "Samsung Internet",
            ),
            (
                "Mozilla/5.0 (Linux; Android 5.1.1; KFFOWI Build/LVY48F) AppleWebKit/537.36 (KHTML, like Gecko) Silk/60.2.12 like Chrome/60.0.3112.107 Safari/537.36",
                Device::Tablet,
                "Android",
                "Silk",
            ),
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", Device::Desktop, "Linux", "Firefox"),
            (
                "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
                Device::Desktop,
                "ChromeOS",
                "Chrome",
            ),
            (
                "Mozilla/5.0 (Linux; Android 7.0; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/65.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/166.0.0.66.95;]",
                Device::Mobile,
                "Android",
                "Facebook",
            ),
            (
                "Opera/9.80 (J2ME/MIDP; Opera Mini/4.2.23453/34.1088; U; en) Presto/2.8.119 Version/11.10",
                Device::Mobile,
                "Java ME",
                "Opera Mini",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                Device::Desktop,
                "Windows",
                "Internet Explorer",
            ),
        ] {
            let found = Client::of_user_agent(user_agent);
            assert_eq!((found.device, found.os, found.browser), (device, Some(os), Some(browser)), "{user_agent}");
        }
        let nothing = Client::of_user_agent("");
        assert_eq!((nothing.os, nothing.browser), (None, None));
    }
}
