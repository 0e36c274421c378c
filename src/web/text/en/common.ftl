skip = Skip to content
navigation = Sections
language = Language
sign-out = Sign out
demo-banner = Synthesised journeys on real orders: UCI Online Retail (Chen 2015, CC BY 4.0). Order amounts, refunds and countries are real; clicks, costs and partners are made up.
as-table = Show as a table
filters = Filters
totals = Total
value-not-set = (not set)
value-no-partner = (no partner)

nav-balance = Balance
nav-links = Links
nav-orders = Orders
nav-statement = Statement
nav-channels = Channels
nav-partners = Partners
nav-payouts = Payouts
nav-documents = Documents
nav-rules = Rules

month-earlier = Month before
month-later = Next month

signin-title = Sign in
signin-email = E-mail
signin-password = Password
signin-go = Sign in
signin-help = No password, or a forgotten one? Whoever runs this service can set it.
signin-wrong = E-mail or password do not match. Check both and try again.
signin-too-many = Too many wrong tries. Wait a minute, then try again.
motto = Many streams, one river: where each customer came from, and what that is worth.

error-403 = This is not yours to see
error-404 = There is nothing here
error-4xx = That did not work
error-5xx = Something went wrong here
error-home = To the home page

count-orders = { $count ->
    [one] { $shown } order
   *[other] { $shown } orders
}
count-partners = { $count ->
    [one] { $shown } partner
   *[other] { $shown } partners
}
count-lines = { $count ->
    [one] { $shown } entry
   *[other] { $shown } entries
}
count-not-counted = { $count ->
    [one] { $shown } more click was not counted: a bot or a page fetched ahead.
   *[other] { $shown } more clicks were not counted: bots and pages fetched ahead.
}
count-due = { $count ->
    [one] { $shown } line due
   *[other] { $shown } lines due
}
count-carried = { $count ->
    [one] { $shown } carried over
   *[other] { $shown } carried over
}
count-blocked = { $count ->
    [one] { $shown } blocked
   *[other] { $shown } blocked
}
count-more = { $count ->
    [one] and { $shown } more
   *[other] and { $shown } more
}
count-more-partners = { $count ->
    [one] { $shown } more partner is not shown.
   *[other] { $shown } more partners are not shown.
}
count-misses = { $count ->
    [one] { $shown } thing found no match.
   *[other] { $shown } things found no match; the latest:
}
count-times = { $count ->
    [one] once
   *[other] { $shown } times
}

column-day = Day
column-clicks = Clicks
column-not_counted = Not counted
column-visitors = Visitors
column-orders = Orders
column-new_customers = New customers
column-net_revenue = Net revenue
column-cost = Cost
column-cost-note = of it commission
column-roi = ROI
column-roas = ROAS
column-cpc = CPC
column-cac = CAC
column-partner = Partner
column-links = Links
column-commission = Commission
column-available = Available now
column-order = Order
column-placed = Placed
column-state = State
column-why = Why it is yours
column-formula = Formula
column-code = Code
column-discount = Discount
column-uses = Uses
column-until = Valid until
column-what = What
column-for = For
column-amount = Amount
column-method = Paid by
column-currency = Currency

receipts-title = Receipts of the self-employed
problem-receipt = The receipt was not saved.
receipt-due = due by { $day }
receipt-overdue = overdue
receipt-paid = Paid { $day }, { $run }
receipt-number = Receipt
receipt-link = Link to the receipt
receipt-date = Date of the receipt
receipt-amount = Sum of the receipt
receipt-annulled-because = annulled: { $reason }
column-number = Document
column-issued = Issued
column-page = Open
