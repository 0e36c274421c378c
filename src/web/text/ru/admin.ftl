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

partners-title = Партнёры
partners-note = По правилам оплаты: заказы, за которые мы должны каждому, за те же дни.
partners-empty = Здесь будут партнёры. Добавьте первого через API или из файла.

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
