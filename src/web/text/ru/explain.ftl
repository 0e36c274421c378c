explain-order = Заказ { $number } оформлен { $at } на сумму { $net }.
explain-bought = Что куплено: { $items }.
explain-more-items = и ещё { $count }
explain-owed = Вознаграждение полагается: { $partner }, { $via }. { $reason }.
explain-nobody = Никакому партнёру не полагается. { $reason }.
explain-undecided = Заказ ещё не подтверждён, и ничего не решено. Сейчас было бы так:
explain-policy = Действует правило «{ $policy }».
explain-no-touches = Ничего, что привело бы к нему, не известно.
explain-touches = { $count ->
    [one] Что было до заказа: { $shown } касание или код, по времени:
    [few] Что было до заказа: { $shown } касания и кода, по времени:
    [many] Что было до заказа: { $shown } касаний и кодов, по времени:
   *[other] Что было до заказа: { $shown } касания и кода, по времени:
}
explain-loser = Без { $partner } вознаграждение получил бы { $loser }: { $title }, { $at }.
explain-no-loser = Больше никому оно полагаться не могло.
explain-terms = Условия «{ $program }» на тот момент: клики считаются { $click } д, показы { $view } д, правило «{ $policy }».
explain-shares = Делится по касаниям и кодам: { $shares }.
explain-keeps = Клиент остаётся за первым партнёром { $most }.
explain-kept-days = на { $days } д
explain-kept-orders = на { $orders ->
    [one] { $orders } заказ
    [few] { $orders } заказа
    [many] { $orders } заказов
   *[other] { $orders } заказа
}
explain-kept-forever = навсегда
explain-new-only = Платится только за новых клиентов.
explain-commission = { $partner } получает, { $rule }: { $formula }.
explain-other = По правилу «{ $policy }» был бы { $partner }.
explain-other-nobody = По правилу «{ $policy }» не был бы никто.
explain-no-basis = Решено прежней версией, которая не хранила условий, по которым решала.
