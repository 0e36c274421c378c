skip = Перейти к содержанию
navigation = Разделы
language = Язык
sign-out = Выйти
demo-banner = Смоделированные пути на реальных заказах: UCI Online Retail (Chen 2015, CC BY 4.0). Суммы заказов, возвраты и страны настоящие; клики, расходы и партнёры придуманы.
as-table = Показать таблицей
filters = Отбор
totals = Всего
value-not-set = (не указано)
value-no-partner = (без партнёра)

nav-balance = Баланс
nav-links = Ссылки
nav-orders = Заказы
nav-statement = Выписка
nav-channels = Каналы
nav-partners = Партнёры
nav-payouts = Выплаты
nav-documents = Документы
nav-rules = Правила

month-earlier = Предыдущий месяц
month-later = Следующий месяц

signin-title = Вход
signin-email = Эл. почта
signin-password = Пароль
signin-go = Войти
signin-help = Нет пароля или забыли его? Его может задать владелец сервиса.
signin-wrong = Почта и пароль не подходят друг к другу. Проверьте их и попробуйте ещё раз.
signin-too-many = Слишком много неверных попыток. Подождите минуту и попробуйте снова.
motto = Много ручьёв, одна река: откуда пришёл каждый покупатель и чего это стоит.

error-403 = Эта страница не для вас
error-404 = Здесь ничего нет
error-4xx = Не получилось
error-5xx = У нас что-то пошло не так
error-home = На главную

count-orders = { $count ->
    [one] { $shown } заказ
    [few] { $shown } заказа
    [many] { $shown } заказов
   *[other] { $shown } заказа
}
count-partners = { $count ->
    [one] { $shown } партнёр
    [few] { $shown } партнёра
    [many] { $shown } партнёров
   *[other] { $shown } партнёра
}
count-lines = { $count ->
    [one] { $shown } запись
    [few] { $shown } записи
    [many] { $shown } записей
   *[other] { $shown } записи
}
count-not-counted = { $count ->
    [one] Ещё { $shown } клик не засчитан: бот или предзагрузка страницы.
    [few] Ещё { $shown } клика не засчитаны: боты и предзагрузка страниц.
    [many] Ещё { $shown } кликов не засчитаны: боты и предзагрузка страниц.
   *[other] Ещё { $shown } клика не засчитаны: боты и предзагрузка страниц.
}
count-due = { $count ->
    [one] { $shown } строка к выплате
    [few] { $shown } строки к выплате
    [many] { $shown } строк к выплате
   *[other] { $shown } строки к выплате
}
count-carried = { $count ->
    [one] { $shown } перенесена
    [few] { $shown } перенесены
    [many] { $shown } перенесено
   *[other] { $shown } перенесены
}
count-blocked = { $count ->
    [one] { $shown } заблокирована
    [few] { $shown } заблокированы
    [many] { $shown } заблокировано
   *[other] { $shown } заблокированы
}
count-more = { $count ->
    [one] и ещё { $shown }
    [few] и ещё { $shown }
    [many] и ещё { $shown }
   *[other] и ещё { $shown }
}
count-more-partners = { $count ->
    [one] Ещё { $shown } партнёр не показан.
    [few] Ещё { $shown } партнёра не показаны.
    [many] Ещё { $shown } партнёров не показаны.
   *[other] Ещё { $shown } партнёра не показаны.
}
count-misses = { $count ->
    [one] { $shown } запись не нашла пары.
    [few] { $shown } записи не нашли пары; последние:
    [many] { $shown } записей не нашли пары; последние:
   *[other] { $shown } записи не нашли пары; последние:
}
count-times = { $count ->
    [one] { $shown } раз
    [few] { $shown } раза
    [many] { $shown } раз
   *[other] { $shown } раза
}

column-day = День
column-clicks = Клики
column-not_counted = Не засчитано
column-visitors = Посетители
column-orders = Заказы
column-new_customers = Новые клиенты
column-net_revenue = Чистая выручка
column-cost = Расходы
column-cost-note = из них вознагр.
column-roi = ROI
column-roas = ROAS
column-cpc = CPC
column-cac = CAC
column-partner = Партнёр
column-links = Ссылки
column-commission = Вознаграждение
column-available = Доступно сейчас
column-order = Заказ
column-placed = Оформлен
column-state = Состояние
column-why = Почему он ваш
column-formula = Расчёт
column-code = Код
column-discount = Скидка
column-uses = Применён
column-until = Действует до
column-what = Что
column-for = За что
column-amount = Сумма
column-method = Способ
column-currency = Валюта

receipts-title = Чеки самозанятых
problem-receipt = Чек не сохранён.
receipt-due = чек нужен до { $day }
receipt-overdue = просрочен
receipt-paid = Выплачено { $day }, { $run }
receipt-number = Чек
receipt-link = Ссылка на чек
receipt-date = Дата чека
receipt-amount = Сумма чека
receipt-annulled-because = аннулирован: { $reason }
column-number = Документ
column-issued = Выпущен
column-page = Открыть
