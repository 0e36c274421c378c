document-act = Акт
document-act-number = Акт № { $number } от { $day }
document-act-for = об оказании услуг за { $month } г.
document-statement = Акт сверки
document-statement-number = Акт сверки взаимных расчётов № { $number } от { $day }
document-statement-for = за { $month } г.
document-payee = Исполнитель
document-merchant = Заказчик
document-basis = Основание
document-basis-terms = Условия партнёрской программы
document-basis-contract = Договор № { $number }
document-basis-contract-of = Договор № { $number } от { $day }
document-inn = ИНН
document-kpp = КПП
document-ogrn = ОГРН
document-ogrnip = ОГРНИП
document-address = Адрес:
document-account = Счёт
document-bank = Банк, БИК:
document-services = Оказанные услуги
document-what = Услуга
document-service = Услуги по привлечению покупателей за { $month } г.: вознаграждение за { $orders }
document-reversed = Сторнировано вознаграждение: возвраты и отмены, { $orders }
document-adjusted = Поправки за закрытые месяцы, { $orders }
document-service-bare = Услуги по привлечению покупателей за { $month } г.
document-reversed-bare = Сторнировано вознаграждение
document-adjusted-bare = Поправки за закрытые месяцы
document-total = Итого
document-in-words = Всего оказано услуг на сумму:
document-tax-self_employed = НДС не облагается: исполнитель применяет налог на профессиональный доход (закон от 27.11.2018 № 422-ФЗ). Чек передаётся заказчику не позднее 9-го числа месяца, следующего за месяцем оплаты.
document-tax-individual = НДС не облагается. Налог на доходы физических лиц удерживает заказчик при выплате.
document-tax-company = НДС, если исполнитель его уплачивает, — в счёте-фактуре исполнителя.
document-tax-foreign = НДС и другие налоги — по договору.
document-accepted = Услуги оказаны полностью и в срок. Заказчик претензий по объёму, качеству и срокам оказания услуг не имеет.
document-summary = Расчёты за месяц
document-paid-tax = в том числе удержан НДФЛ
document-held = в том числе на удержании
document-available = в том числе доступно к выплате
document-in-payment = в том числе в выплате
document-movements = Движения за месяц
document-merchant-owes = На { $day } задолженность заказчика перед исполнителем составляет { $amount } ({ $words }).
document-payee-owes = На { $day } задолженность исполнителя перед заказчиком составляет { $amount } ({ $words }).
document-nobody-owes = На { $day } взаимной задолженности нет: { $amount } ({ $words }).

papers-title = Документы, { $month }
papers-issue-title = Выпуск документов
papers-issue-note = Акт сверки и акт об оказании услуг для каждого партнёра. Выпущенный документ больше не меняется; повторный выпуск добавит только недостающие.
papers-issue-all = Выпустить все за { $month }
papers-open = Месяц не закрыт: документы выпускаются после закрытия.
papers-to-payouts = К выплатам месяца
papers-list = Выпущенные документы
papers-month = Месяц
papers-find = Партнёр или номер
papers-kind = Вид
papers-any = Все
papers-empty = Здесь будут документы месяца. Выпустите их одной кнопкой, когда месяц закрыт.
papers-none-found = По этому отбору ничего нет.
count-issued = { $count ->
    [one] За месяц есть { $shown } документ.
    [few] За месяц есть { $shown } документа.
    [many] За месяц есть { $shown } документов.
   *[other] За месяц есть { $shown } документа.
}
count-missing = { $count ->
    [one] нет { $shown } чека
    [few] нет { $shown } чеков
    [many] нет { $shown } чеков
   *[other] нет { $shown } чека
}
count-overdue = { $count ->
    [one] { $shown } просрочен
    [few] { $shown } просрочены
    [many] { $shown } просрочено
   *[other] { $shown } просрочено
}
problem-issue-payer = Документы не выпущены: не заполнены реквизиты магазина (PUT /v1/payer).
problem-issue-open = Документы не выпущены: сначала закройте месяц.
receipts-note = Самозанятый даёт чек за каждую выплату не позднее 9-го числа следующего месяца. Без чека расход не подтверждён.
receipts-missing = Не хватает
receipts-received = Получены
receipts-all = Все
receipts-partner = Партнёр
receipts-none-missing = Все чеки на месте.
receipts-none = По этому отбору чеков нет.
receipts-more = Следующие
receipt-enter = Внести чек
receipt-remind = Отметить: напомнили
receipt-reminded = { $count ->
    [one] напоминали { $shown } раз, { $day }
    [few] напоминали { $shown } раза, последний { $day }
    [many] напоминали { $shown } раз, последний { $day }
   *[other] напоминали { $shown } раза, последний { $day }
}
receipt-annul = Чек аннулирован
receipt-annul-sure = Отметить аннулированным
receipt-reason = Причина
receipt-save = Сохранить
receipt-open = открыть
receipt-number-field = Номер, если нет ссылки
receipt-status-checked = Статус самозанятого проверен { $day }: проверьте ещё раз перед выплатой.
receipt-status-unchecked = Статус самозанятого не проверялся: проверьте перед выплатой.

own-receipts-title = Ваши чеки
own-receipts-note = Сформируйте чек в приложении «Мой налог» на сумму выплаты и вставьте сюда ссылку на него.
receipt-give = Передать чек
own-documents-title = Акты и сверки
own-documents-empty = Здесь будут ваши акты: магазин выпускает их после закрытия месяца.
