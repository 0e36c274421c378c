home-title = Каналы и выплаты
span = { $from } – { $to }
filter-from = С
filter-to = По
filter-by-model = Модель
filter-rows = Строки
filter-go = Показать
filter-day = Дату не удалось прочитать; показан обычный срок.
filter-span = Начало позже конца или срок длиннее десяти лет; показан обычный срок.
filter-model = Такой модели нет; показана обычная.
filter-group_by = Так строки не группируются; показаны каналы.
preset-7 = 7 дней
preset-30 = 30 дней
preset-90 = 90 дней
preset-all = Всё время

figure-net_revenue = Чистая выручка
figure-refunds = возвращено { $amount }
figure-cost = Расходы
figure-ads = реклама { $ads } + вознаграждения { $commission }
figure-roi = ROI
figure-roas = ROAS { $roas }
figure-orders = Заказы
figure-new = от новых клиентов: { $customers }
figure-clicks = Клики
figure-not_counted = не засчитано: { $clicks }
figure-cac = CAC
figure-cac-note = расходы на нового клиента

chart-title = Что вернул каждый канал
chart-title-other = Чистая выручка и расходы
chart-cost = расходы { $amount }
chart-no-cost = без расходов
chart-largest = Нарисованы { $count } крупнейших; в таблице есть все.
chart-most = до { $amount } в день
channels-caption = Выручка, расходы и отдача по каналам
channels-empty = По этому отбору ничего нет. Выберите другие дни.
channels-note = ROI = (чистая выручка − расходы) ÷ расходы; расходы — реклама и вознаграждения. ROAS = чистая выручка ÷ реклама. «—» значит, что делить не на что: не было расходов или клиентов. Если заказ поделён между касаниями, появляются доли.
other-currencies = Суммы в других валютах не складываются; здесь не учтены:
other-currency = { $currency }: { $orders } на { $revenue }, реклама { $cost }
filter-rate = Нет курса { $from } к { $to } на { $day }; другие валюты показаны отдельно. Загрузите его: tributary import rates FILE
convert-them = Пересчитать их, каждую сумму по курсу её дня
convert-rates = Пересчитано по этим курсам
convert-apart = Показать другие валюты отдельно

partners-title = Партнёры
partners-note = По правилам оплаты: заказы, за которые мы должны каждому, за те же дни.
partners-empty = Здесь будут партнёры. Добавьте первого через API или из файла.

to-do-title = Что нужно сделать
count-unmarked = { $count ->
    [one] У { $shown } ссылки партнёра нет erid, хотя её программа требует маркировки рекламы.
    [few] У { $shown } ссылок партнёров нет erid, хотя их программы требуют маркировки рекламы.
    [many] У { $shown } ссылок партнёров нет erid, хотя их программы требуют маркировки рекламы.
   *[other] У { $shown } ссылок партнёров нет erid, хотя их программы требуют маркировки рекламы.
}
count-dumping = { $count ->
    [one] { $shown } цена реселлеров ниже минимальной:
    [few] { $shown } цены реселлеров ниже минимальной; последние:
    [many] { $shown } цен реселлеров ниже минимальной; последние:
   *[other] { $shown } цены реселлеров ниже минимальной; последние:
}
dumping-line = { $partner }, { $sku }: { $seen }, не меньше { $minimum }, с { $day }

misses-title = Не нашли пары
misses-empty = Для каждого кода и ссылки нашлась пара.
miss-nearest = похоже на { $nearest }

payouts-title = Выплаты, { $month }
run-title = Выплата за месяц
run-in-full = Открыть целиком
run-early = Досрочная
run-due-on = Доступно на { $day }
run-nothing = За этот месяц выплачивать нечего.
run-open = Месяц открыт. После закрытия его цифры больше не меняются.
run-not-over = Месяц ещё не закончился; закрыть его можно с { $day }.
run-closed-by = Закрыт { $at }, { $by }
run-closed-before = Закрыт вместе с более поздним месяцем
run-built-by = Составлена { $at }, { $by }
run-approved-by = Утверждена { $at }, { $by }
run-paid-by = Отмечена выплаченной { $at }, { $by }
step-close = Закрыть
step-build = Составить
step-approve = Утвердить
step-export = Скачать
step-pay = Выплатить
step-done = сделано
act-close = Закрыть месяц
act-build = Составить выплату
act-early = Досрочно: выплатить доступное сегодня ({ $amount }), месяц оставить открытым
act-approve = Утвердить
act-export = Скачать CSV
file-xlsx = Excel
file-1c = Файл для банка (1С)
file-pain001 = Файл для банка (pain.001)
file-paypal = PayPal
file-wise = Wise
file-of-some = { $file } ({ $some } из { $all })
act-pay = Отметить выплаченной
bank-reference = Номер платёжного документа
lines-title = Строки выплаты
totals-due = Всего к выплате
problem-close = Месяц не закрыт: он ещё не закончился.
problem-build = Выплата не составлена.
problem-build-open = Выплата не составлена: сначала закройте месяц или отметьте «Досрочно».
problem-build-known = Выплата не составлена: за этот месяц в этой валюте она уже есть.
problem-build-nothing = Выплата не составлена: платить нечего. Остатки меньше минимума переносятся.
problem-build-currency = Выплата не составлена: выберите одну валюту.
problem-approve = Выплата не утверждена.
problem-export = Файл не создан.
problem-paid = Выплата не отмечена выплаченной: сначала утвердите её.

orders-find = Номер заказа
orders-owed = Только с вознаграждением партнёру
orders-unknown = Заказа { $number } нет.
orders-refunded = возвращено { $amount }
orders-empty = Здесь будут заказы. Передайте первый через API или из файла.
orders-more = Более ранние заказы

order-title = Заказ { $number }
order-total = Сумма
order-tax = Налог
order-shipping = Доставка
order-discount = Скидка
order-refunded = Возвращено
order-codes = Промокоды
order-customer = Клиент
order-why = Почему этот партнёр
order-nobody = Никакому партнёру не полагается
order-undecided = Решается, когда заказ впервые подтверждён
order-policy = Правило
order-decided = Решено { $at } и больше не меняется.
window-opens = Открывается окно { $partner } в { $days } д: { $at }
window-span = Окно с { $from } по { $to }
trace-title = Касания до заказа
trace-code = Промокод { $code }
trace-kept = Клиент с заказа { $order }
trace-touch = Касание
trace-order = Заказ оформлен
trace-left-out = { $count ->
    [one] Ещё { $shown } более раннее касание не показано.
    [few] Ещё { $shown } более ранних касания не показаны.
    [many] Ещё { $shown } более ранних касаний не показаны.
   *[other] Ещё { $shown } более ранних касания не показаны.
}
commission-title = Вознаграждение
commission-empty = За этот заказ вознаграждения нет.
rule-version = правило { $rule }, версия { $version }
others-title = Что сказали бы другие правила
policy-used = действует

rules-title = Правила каналов
rules-test-title = Проверить адрес
rules-test-url = Адрес страницы или ссылки
rules-test-referrer = Реферер, если есть
rules-test-user_agent = User agent, по желанию
rules-test-go = Показать канал
rules-result = Канал
rules-decided-own = Решило ваше правило «{ $rule }».
rules-decided-builtin = Решило встроенное правило { $number }: { $rule }.
rules-within = Такой заход не начинает нового касания: посетитель уже был на сайте.
rules-unreplaced = Рекламная система не подставила значения макросов: { $fields }.
rules-bot = Робот, хранится и не засчитывается: { $reason }.
rules-no-bot = Судя по user agent, не робот.
rules-own-title = Ваши правила
rules-own-note = Проверяются первыми, сверху вниз; решает первое, что подошло. Уже сохранённые касания остаются в своём канале, пока историю не пересчитают.
rules-add = Добавить правило
rules-empty = Своих правил нет: решает только встроенная таблица.
rules-decides = решает
rules-replaces = заменяет
rules-edit = Изменить
rules-up = Поднять «{ $rule }»
rules-down = Опустить «{ $rule }»
rules-remove = Удалить
rules-remove-sure = Да, удалить «{ $rule }»
rules-saved = Сохранено. Действует для всего, что записано с этой минуты.
rules-saved-history = Чтобы применить к уже сохранённому, сначала посмотрите, что изменится, затем запустите без --dry-run:
rules-conflict = Ничего не изменено: пока страница была открыта, правила изменил кто-то другой. Ниже список, какой он сейчас.
rules-conflict-form = Не сохранено: тем временем правила изменил кто-то другой. Введённое осталось; посмотрите список и сохраните ещё раз.
rules-builtin-title = Встроенная таблица
rules-builtin-note = Проверяется после ваших правил, в этом порядке.
rules-column-rule = Правило
rules-column-when = Когда
rules-column-gives = Канал
rules-new = Новое правило
rules-form-title = Правило
rules-name = Название
rules-choose = Выберите…
rules-conditions = Условия
rules-conditions-note = Должны выполняться все. Регистр не важен. Строка без поля не учитывается.
rules-condition = { $field }: { $is } «{ $value }»
rules-condition-bare = { $field }: { $is }
rules-condition-number = Условие { $number }
rules-field = Что
rules-is = Как
rules-value = Значение
rules-more = Ещё условия
rules-replace = Заменяет, если заполнено
rules-save = Сохранить
rules-cancel = К списку
rules-try-title = Проверить до сохранения
rules-try-note = Правило выше, как оно введено, на своём месте в списке.
rules-try = Проверить
rules-problem-name = Не сохранено: у правила нет названия.
rules-problem-taken = Не сохранено: так называется другое правило, или список полон (200 правил).
rules-problem-conditions = Не сохранено: нужно условие; без условий правило забрало бы все касания.
rules-problem-long = Не сохранено: не больше 20 условий и 200 знаков в каждом поле.
rules-problem-value = Не сохранено: у условия { $number } нет значения.
rules-problem-needless = Не сохранено: условие { $number } проверяет, есть ли поле, и значения не берёт.
rules-problem-channel = Не сохранено: выберите канал.
rules-problem-field = Не сохранено: у условия есть значение, но не указано, чего.

condition-source = Источник
condition-medium = Тип трафика
condition-campaign = Кампания
condition-content = Объявление
condition-term = Запрос
condition-referrer_host = Хост реферера
condition-landing_host = Хост страницы входа
condition-landing_path = Путь страницы входа
condition-click_id = Параметр с меткой клика
condition-equals = равно
condition-contains = содержит
condition-starts_with = начинается с
condition-ends_with = кончается на
condition-like = по образцу (* и ?)
condition-present = указано
condition-absent = не указано

builtin-own = правило магазина
builtin-own-when = подошло одно из ваших правил
builtin-own-gives = какой указан в правиле
builtin-partner = партнёр
builtin-partner-when = пришли по ссылке или промокоду партнёра
builtin-partner-gives = Партнёры; Реферальная программа — по ссылке клиента; Офлайн — у офлайн-партнёра
builtin-medium = utm_medium=affiliate
builtin-medium-when = utm_medium — affiliate
builtin-medium-gives = Партнёры
builtin-network = метка партнёрской сети
builtin-network-when = в адресе есть метка клика партнёрской сети
builtin-network-gives = Партнёры
builtin-ad = метка рекламного клика
builtin-ad-when = в адресе есть метка клика рекламной системы, которая доказывает оплату, а UTM не называют другого платного канала
builtin-ad-gives = по правилам GA4 с источником и типом из метки; иначе канал самой рекламной системы
builtin-ga4 = правила GA4
builtin-ga4-when = UTM подходят под правило группы каналов GA4, кроме последнего — «другая реклама»
builtin-ga4-gives = какой указан в том правиле
builtin-extension = наше дополнение
builtin-extension-when = UTM подходят под правило нашего дополнения
builtin-extension-gives = какой указан в том правиле
builtin-paid = GA4: другая реклама
builtin-paid-when = utm_medium означает платный трафик
builtin-paid-gives = Другая реклама
builtin-openstat = метка OpenStat
builtin-openstat-when = нет utm_source и utm_medium, но _openstat называет сервис
builtin-openstat-gives = Платный поиск для Яндекс Директа, Товарная реклама для Яндекс Маркета, иначе Другая реклама
builtin-unassigned = UTM ни под что не подходят
builtin-unassigned-when = UTM есть, но ничего выше не подошло; если в них нет ни источника, ни типа — только без реферера
builtin-unassigned-gives = Не определён
builtin-within = свой хост
builtin-within-when = реферер — сайт самого магазина или хост страницы входа
builtin-within-gives = Прямые заходы; заход не становится касанием
builtin-payment = платёжный сервис
builtin-payment-when = реферер — платёжный сервис или страница 3-D Secure банка
builtin-payment-gives = Прямые заходы; заход не становится касанием
builtin-list = список рефереров
builtin-list-when = реферер есть в списке известных площадок
builtin-list-gives = Поиск, Соцсети, Видео, Товарные площадки, Мессенджеры, ИИ-помощники, Рассылки, Платный поиск, Реклама в соцсетях, Медийная реклама, Партнёры или Переходы с сайтов — как указано в списке
builtin-host = имя реферера
builtin-host-when = хост реферера сам говорит, что это: webmail.…, search.…, ads.…
builtin-host-gives = Рассылки, Поиск, Медийная реклама
builtin-referrer = любой другой реферер
builtin-referrer-when = реферер есть
builtin-referrer-gives = Переходы с сайтов
builtin-unpaid = метка бесплатного клика
builtin-unpaid-when = реферера нет, но метка клика в адресе называет площадку и не доказывает оплаты: ysclid, srsltid, fbclid, igshid, igsh
builtin-unpaid-gives = Поиск, Товарные площадки, Соцсети
builtin-nothing = ничего не известно
builtin-nothing-when = ничего не известно
builtin-nothing-gives = Прямые заходы
