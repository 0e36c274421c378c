channel-affiliate = Партнёры
channel-referral_program = Реферальная программа
channel-offline = Офлайн
channel-paid_search = Платный поиск
channel-paid_social = Реклама в соцсетях
channel-paid_shopping = Товарная реклама
channel-paid_video = Видеореклама
channel-paid_other = Другая реклама
channel-display = Медийная реклама
channel-cross_network = Смешанные сети
channel-email = Рассылки
channel-sms = СМС
channel-push = Пуш-уведомления
channel-audio = Аудиореклама
channel-organic_search = Поиск
channel-organic_social = Соцсети
channel-organic_video = Видео
channel-organic_shopping = Товарные площадки
channel-messenger = Мессенджеры
channel-ai_assistant = ИИ-помощники
channel-referral = Переходы с сайтов
channel-direct = Прямые заходы
channel-unassigned = Не определён

model-last_click = Последний клик
model-last_non_direct = Последний непрямой клик
model-first_click = Первый клик
model-linear = Линейная
model-time_decay = С давностью
model-position_based = По позиции
model-w_shaped = W-образная
model-custom = Свои доли
model-markov = Цепь Маркова
model-shapley = Вектор Шепли
model-shapley_rate = Вектор Шепли по конверсии

by-channel = Канал
by-source = Источник
by-medium = Тип трафика
by-campaign = Кампания
by-partner = Партнёр
by-day = День
by-content = Содержание
by-term = Ключевое слово
by-link = Ссылка
by-promo_code = Промокод
by-country = Страна
by-device = Устройство
by-customer = Покупатель
by-week = Неделя
by-month = Месяц
device-mobile = Телефон
device-tablet = Планшет
device-desktop = Компьютер
customer-new = Новый
customer-returning = Повторный

role-owner = Владелец
role-marketer = Маркетолог
role-accountant = Бухгалтер
role-viewer = Наблюдатель
role-partner = Партнёр

kind-affiliate = Партнёр
kind-referrer = Рекомендатель
kind-reseller = Реселлер
kind-offline = Офлайн-партнёр

partner-applied = Ещё не подтверждён
partner-suspended = Приостановлен

order-pending = Ожидает
order-approved = Подтверждён
order-cancelled = Отменён

touch-click = Клик
touch-visit = Визит
touch-impression = Показ
touch-promo = Промокод
touch-call = Звонок

state-pending = На удержании
state-approved = Доступно
state-payable = В выплате
state-paid = Выплачено
commission-order = Заказ
commission-second_tier = Второй уровень
commission-volume = Объём за месяц
commission-clicks = Клики
commission-lead = Лид
commission-declined-because = Отклонено: { $reason }
state-waits = Ждёт подтверждения
state-rejected = Отклонено
state-reversed = Сторнировано

journal-earned = Начислено
journal-reversed = Сторнировано
journal-released = Удержание закончилось
journal-adjusted = Поправка
journal-withheld = Задержано
journal-withholding_released = Задержка снята
journal-written_off = Списано
journal-put_in_run = Включено в выплату
journal-taken_out_of_run = Исключено из выплаты
journal-paid = Выплачено
journal-returned = Выплата вернулась
journal-tax_withheld = Удержан налог

policy-promo_then_last_click = Промокод, затем последний клик
policy-last_click_then_promo = Последний клик, затем промокод
policy-last_touch = Последнее касание
policy-first_click = Первый клик
policy-split_linear = Поровну между касаниями
policy-lifetime = Клиент остаётся за первым партнёром

via-promo_code = по промокоду
via-click = по клику
via-lifetime = по закреплению клиента
via-none = ни по чему

verdict-kept = Мог выиграть
verdict-dropped = Не подошёл
verdict-won = Выиграл

reason-latest_click_in_window = Последний клик внутри окна
reason-promo_code = Действующий промокод в заказе
reason-first_click = Первый клик внутри окна
reason-lifetime = Клиент остаётся за первым партнёром
reason-split = Делится между всеми, кто привёл клиента
reason-outside_window = Вне окна
reason-after_order = После заказа
reason-bot = Программа, а не человек
reason-prefetch = Предзагрузка браузером, страницу не открывали
reason-duplicate = Повторный клик того же посетителя через секунды
reason-burst = С одного адреса кликов больше, чем делают люди
reason-no_partner = Не по ссылке и не по коду партнёра
reason-partner_suspended = Партнёр тогда не был подтверждён
reason-own_purchase = Собственная покупка партнёра
reason-promo_unknown = Такого промокода нет
reason-promo_expired = Промокод тогда не действовал
reason-promo_exhausted = Промокод исчерпан
reason-promo_outranks_click = Промокод важнее клика
reason-click_outranks_promo = Клик важнее промокода
reason-later_click = Его место занял более поздний клик
reason-earlier_click = Раньше был другой клик
reason-returning_customer = Покупатель не новый, а программа платит только за новых
reason-excluded_category = За эти категории программа не платит
reason-cap_reached = Предел выплат программы исчерпан
reason-other_currency = Валюта заказа не та, что у программы

why-latest_click_in_window = По вашей ссылке перешли последней перед заказом
why-promo_code = В заказе применили ваш промокод
why-first_click = По вашей ссылке перешли первой
why-lifetime = Вы привели этого клиента первыми, он закреплён за вами
why-split = Заказ делится между вами и другими, кто привёл клиента

run-built = Составлена
run-approved = Утверждена
run-partly_paid = Выплачена частично
run-paid = Выплачена
run-cancelled = Отменена

line-due = К выплате
line-paid = Выплачено
line-failed = Платёж не прошёл
line-cancelled = Отменено
line-below_zero = Перенос: остаток ниже нуля
line-below_minimum = Перенос: меньше минимума
line-blocked = Стоп: партнёр не подтверждён
line-blocked_requisites = Стоп: реквизитов нет или в них ошибка
line-net = налог { $tax }, к перечислению { $net }
line-blocked_npd = Стоп: лимит или статус НПД
obstacle-npd_limit = Выплачено за год { $paid } и к выплате { $due }: на { $over } больше годового лимита самозанятых, { $limit }
obstacle-npd_not_yet = Статус самозанятого начинается { $day }
obstacle-npd_currency = Годовой лимит самозанятых считается в рублях, а выплата в { $currency }
obstacle-tax_currency = Налог физического лица считается в рублях, а выплата в { $currency }
line-blocked_tax = Стоп: налог считается в рублях

pay-manual = Вручную
pay-bank_ru = Банковский счёт
pay-sepa = Перевод SEPA
pay-swift = Перевод SWIFT
pay-paypal = PayPal
pay-wise = Wise

miss-promo_code = Промокод
miss-link = Ссылка
miss-refund = Возврат
miss-other = Другое

trace-before = за { $span } до заказа, окно { $days } д
trace-outside = Вне окна в { $days } д: раньше него на { $span }
trace-after = Через { $span } после заказа

formula-cancelled = Заказ отменён: вознаграждения нет
formula-pending = Заказ не подтверждён: вознаграждения пока нет
formula-fixed = { $amount } за заказ
formula-tax = {" "}− { $amount } налог
formula-shipping = {" "}− { $amount } доставка
formula-declined = Отклонено
formula-discount = {" "}+ скидка { $amount }
formula-lines-back = { $left }, что осталось от { $base } после возврата позиций
formula-least = , не меньше { $amount }
formula-most = , не больше { $amount }
formula-cap = , осталось от лимита { $amount }
formula-second-tier = { $percent } × { $earned }, заработанные партнёром { $partner }
formula-volume = { $owed } за { $month }: { $volume } в { $orders ->
    [one] { $orders } заказе
    [few] { $orders } заказах
    [many] { $orders } заказах
   *[other] { $orders } заказах
}
formula-at-once = {" "}− начислено сразу { $amount }
formula-clicks = { $clicks ->
    [one] { $clicks } проверенный клик
    [few] { $clicks } проверенных клика
    [many] { $clicks } проверенных кликов
   *[other] { $clicks } проверенных клика
} × { $amount }
formula-lead = { $amount } за «{ $lead }»
formula-lead-cancelled = Лид отменён
formula-lead-pending = Лид ещё не подтверждён
formula-part = { $part } из { $base }
formula-portion = {" "}({ $own }/{ $all } заказа)
formula-refunds = {" "}× { $left } / { $total } после возвратов

standing-company = Юридическое лицо
standing-sole_trader = Индивидуальный предприниматель
standing-self_employed = Плательщик налога на профессиональный доход
standing-individual = Физическое лицо
standing-foreign = Иностранный исполнитель

receipt-asked = Нет чека
receipt-received = Получен
receipt-annulled = Аннулирован: нужен новый

paper-statement = Акт сверки
paper-act = Акт
account-held = На удержании
account-available = Доступно
account-in_payment = В выплате
account-withheld = Задержано
account-written_off = Списано
account-expense = Расход на вознаграждения
account-cash = Выплачено
account-tax = Удержанный налог
by_hand-adjust = Исправить (+ или −)
by_hand-withhold = Задержать
by_hand-write_off = Списать
note-chargeback = чарджбэк
