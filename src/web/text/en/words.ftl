channel-affiliate = Affiliate
channel-referral_program = Referral program
channel-offline = Offline
channel-paid_search = Paid search
channel-paid_social = Paid social
channel-paid_shopping = Paid shopping
channel-paid_video = Paid video
channel-paid_other = Other paid
channel-display = Display
channel-cross_network = Cross-network
channel-email = E-mail
channel-sms = SMS
channel-push = Push
channel-audio = Audio
channel-organic_search = Organic search
channel-organic_social = Organic social
channel-organic_video = Organic video
channel-organic_shopping = Organic shopping
channel-messenger = Messenger
channel-ai_assistant = AI assistant
channel-referral = Referral
channel-direct = Direct
channel-unassigned = Unassigned

model-last_click = Last click
model-last_non_direct = Last non-direct click
model-first_click = First click
model-linear = Linear
model-time_decay = Time decay
model-position_based = Position-based
model-w_shaped = W-shaped
model-custom = Custom shares
model-markov = Markov
model-shapley = Shapley
model-shapley_rate = Shapley, by rate

by-channel = Channel
by-source = Source
by-medium = Medium
by-campaign = Campaign
by-partner = Partner
by-day = Day
by-content = Content
by-term = Keyword
by-link = Link
by-promo_code = Promo code
by-country = Country
by-device = Device
by-customer = Customer
by-week = Week
by-month = Month
device-mobile = Phone
device-tablet = Tablet
device-desktop = Computer
customer-new = New
customer-returning = Returning

role-owner = Owner
role-marketer = Marketer
role-accountant = Accountant
role-viewer = Viewer
role-partner = Partner

kind-affiliate = Affiliate
kind-referrer = Referrer
kind-reseller = Reseller
kind-offline = Offline partner

partner-applied = Not approved yet
partner-suspended = Suspended

order-pending = Pending
order-approved = Approved
order-cancelled = Cancelled

touch-click = Click
touch-visit = Visit
touch-impression = Impression
touch-promo = Promo code
touch-call = Call

state-pending = Held
state-approved = Available
state-payable = In payment
state-paid = Paid
commission-order = Order
commission-second_tier = Second tier
commission-volume = Volume of the month
commission-clicks = Clicks
commission-lead = Lead
commission-declined-because = Declined: { $reason }
state-waits = Waits for approval
state-rejected = Declined
state-reversed = Reversed

journal-earned = Earned
journal-reversed = Reversed
journal-released = Hold over
journal-adjusted = Adjustment
journal-withheld = Kept back
journal-withholding_released = No longer kept back
journal-written_off = Written off
journal-put_in_run = Put into a payout run
journal-taken_out_of_run = Taken out of a payout run
journal-paid = Paid out
journal-returned = Payout returned
journal-tax_withheld = Tax withheld

policy-promo_then_last_click = Promo code, then last click
policy-last_click_then_promo = Last click, then promo code
policy-last_touch = Last touch
policy-first_click = First click
policy-split_linear = Split in equal parts
policy-lifetime = The first partner keeps the customer

via-promo_code = by promo code
via-click = by click
via-lifetime = by keeping the customer
via-none = by nothing

verdict-kept = Could have won
verdict-dropped = Left out
verdict-won = Won

reason-latest_click_in_window = The latest click inside the window
reason-promo_code = A valid promo code on the order
reason-first_click = The first click inside the window
reason-lifetime = The first partner keeps the customer
reason-split = Shared by all who brought the customer
reason-outside_window = Outside the window
reason-after_order = After the order
reason-bot = A machine, not a person
reason-prefetch = Fetched ahead by the browser, not opened
reason-duplicate = The same visitor’s second click within seconds
reason-burst = One address sends more clicks than people do
reason-no_partner = No partner’s link or code
reason-partner_suspended = The partner was not approved at that time
reason-own_purchase = The partner’s own purchase
reason-promo_unknown = There is no such promo code
reason-promo_expired = The promo code did not hold at that time
reason-promo_exhausted = The promo code was used up
reason-promo_outranks_click = A promo code outranks it
reason-click_outranks_promo = A click outranks the promo code
reason-later_click = A later click took its place
reason-earlier_click = An earlier click comes first
reason-returning_customer = A returning customer; the program pays for new ones only
reason-excluded_category = The program does not pay for these categories
reason-cap_reached = As much as the program pays has been paid
reason-other_currency = The order is in another currency than the program

why-latest_click_in_window = Your link was the last one clicked before the order
why-promo_code = The order came with your promo code
why-first_click = Your link was the first one clicked
why-lifetime = You brought this customer first, and keep them
why-split = You share this order with others who brought the customer

run-built = Built
run-approved = Approved
run-partly_paid = Partly paid
run-paid = Paid
run-cancelled = Cancelled

line-due = Due
line-paid = Paid
line-failed = Did not go through
line-cancelled = Cancelled
line-below_zero = Carried over: below zero
line-below_minimum = Carried over: below the minimum
line-blocked = Blocked: partner not approved
line-blocked_requisites = Blocked: requisites missing or wrong
line-net = tax { $tax }, to be sent { $net }
line-blocked_npd = Blocked: self-employed status or limit
obstacle-npd_limit = { $paid } paid this year and { $due } due are { $over } over the yearly limit of the self-employed, { $limit }
obstacle-npd_not_yet = The self-employed status begins on { $day }
obstacle-npd_currency = The yearly limit of the self-employed is in roubles, the run in { $currency }
obstacle-tax_currency = An individual’s tax is reckoned in roubles, the run is in { $currency }
line-blocked_tax = Blocked: tax is reckoned in roubles

pay-manual = By hand
pay-bank_ru = Bank account (Russia)
pay-sepa = SEPA transfer
pay-swift = SWIFT transfer
pay-paypal = PayPal
pay-wise = Wise

miss-promo_code = Promo code
miss-link = Link
miss-refund = Refund
miss-other = Other

trace-before = { $span } before the order, window { $days } d
trace-outside = Outside the { $days }-day window by { $span }
trace-after = Came { $span } after the order

formula-cancelled = The order is cancelled: nothing is owed
formula-pending = The order is not approved: nothing is owed yet
formula-fixed = { $amount } per order
formula-tax = {" "}− { $amount } tax
formula-shipping = {" "}− { $amount } shipping
formula-declined = Declined
formula-discount = {" "}+ { $amount } discount
formula-lines-back = { $left } left of { $base } after lines came back
formula-least = , at least { $amount }
formula-most = , at most { $amount }
formula-cap = , { $amount } left of the cap
formula-second-tier = { $percent } × { $earned } that { $partner } earns
formula-volume = { $owed } for { $month }: { $volume } in { $orders ->
    [one] { $orders } order
   *[other] { $orders } orders
}
formula-at-once = {" "}− { $amount } earned at once
formula-clicks = { $clicks ->
    [one] { $clicks } verified click
   *[other] { $clicks } verified clicks
} × { $amount }
formula-lead = { $amount } for “{ $lead }”
formula-lead-cancelled = The lead is cancelled
formula-lead-pending = The lead is not approved yet
formula-part = { $part } of { $base }
formula-portion = {" "}({ $own }/{ $all } of the order)
formula-refunds = {" "}× { $left } / { $total } left after refunds

standing-company = Company
standing-sole_trader = Sole trader
standing-self_employed = Self-employed (tax on professional income)
standing-individual = Individual
standing-foreign = Foreign contractor

receipt-asked = No receipt yet
receipt-received = Received
receipt-annulled = Annulled: another one is needed

paper-statement = Statement
paper-act = Act
account-held = In hold
account-available = Available
account-in_payment = In a payout run
account-withheld = Kept back
account-written_off = Written off
account-expense = Cost of commissions
account-cash = Paid out
account-tax = Tax withheld
by_hand-adjust = Correct (+ or −)
by_hand-withhold = Keep back
by_hand-write_off = Write off
note-chargeback = chargeback
