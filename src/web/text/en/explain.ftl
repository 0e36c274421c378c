explain-order = Order { $number } was placed on { $at } for { $net }.
explain-bought = What was bought: { $items }.
explain-more-items = and { $count } more
explain-owed = It is owed to { $partner }, { $via }. { $reason }.
explain-nobody = It is owed to no partner. { $reason }.
explain-undecided = It is not approved yet, so nothing is decided. As it stands:
explain-policy = The policy is “{ $policy }”.
explain-no-touches = Nothing is known to have led to it.
explain-touches = { $count ->
    [one] What came before it, one touch or code:
   *[other] What came before it, { $shown } touches and codes in order of time:
}
explain-loser = Without { $partner } it would have been owed to { $loser }: { $title }, { $at }.
explain-no-loser = Nobody else could have been owed it.
explain-terms = The terms of { $program } then: clicks count { $click } d, impressions { $view } d, policy “{ $policy }”.
explain-shares = It is shared by touches and codes: { $shares }.
explain-keeps = The first partner keeps the customer { $most }.
explain-kept-days = for { $days } d
explain-kept-orders = for { $orders ->
    [one] { $orders } order
   *[other] { $orders } orders
}
explain-kept-forever = for good
explain-new-only = It pays for new customers only.
explain-commission = { $partner } earns by { $rule }: { $formula }.
explain-other = Under “{ $policy }” it would have been { $partner }.
explain-other-nobody = Under “{ $policy }” it would have been nobody.
explain-no-basis = It was decided by an earlier version, which did not keep the terms it decided by.
