document-act = Act
document-act-number = Act No. { $number } of { $day }
document-act-for = on services rendered in { $month }
document-statement = Statement
document-statement-number = Statement of account No. { $number } of { $day }
document-statement-for = for { $month }
document-payee = Contractor
document-merchant = Customer
document-basis = Basis
document-basis-terms = Terms of the partner program
document-basis-contract = Contract No. { $number }
document-basis-contract-of = Contract No. { $number } of { $day }
document-inn = INN
document-kpp = KPP
document-ogrn = OGRN
document-ogrnip = OGRNIP
document-address = Address:
document-account = Account
document-bank = Bank:
document-services = Services rendered
document-what = Service
document-service = Bringing in buyers, { $month }: commission for { $orders }
document-reversed = Commission reversed: refunds and cancels, { $orders }
document-adjusted = Adjustments of closed months, { $orders }
document-service-bare = Bringing in buyers, { $month }: commission
document-reversed-bare = Commission reversed
document-adjusted-bare = Adjustments of closed months
document-total = Total
document-in-words = Services rendered in all:
document-tax-self_employed = No VAT: the contractor pays the tax on professional income (law of 27.11.2018 No. 422-FZ). The receipt is due by the 9th of the month after the payment.
document-tax-individual = No VAT. The customer withholds the income tax when paying.
document-tax-company = VAT, if the contractor pays it, is in the contractor’s invoice.
document-tax-foreign = VAT and other taxes: as in the contract.
document-accepted = The services were rendered in full and on time. The customer has no claims as to their volume, quality and time.
document-summary = The month’s account
document-paid-tax = of it withheld as income tax
document-held = of it held
document-available = of it available for payment
document-in-payment = of it in payment
document-movements = Movements of the month
document-merchant-owes = On { $day } the customer owes the contractor { $amount } ({ $words }).
document-payee-owes = On { $day } the contractor owes the customer { $amount } ({ $words }).
document-nobody-owes = On { $day } neither owes the other anything: { $amount } ({ $words }).

papers-title = Documents, { $month }
papers-issue-title = Issue documents
papers-issue-note = A statement and an act for each partner. What is issued stays as it is; issuing again adds only what is missing.
papers-issue-all = Issue all for { $month }
papers-open = The month is not closed; documents are issued when it is.
papers-to-payouts = To the payouts of the month
papers-list = Issued documents
papers-month = Month
papers-find = Partner or number
papers-kind = Kind
papers-any = Any
papers-empty = The documents of the month will be here. Issue them with one button when the month is closed.
papers-none-found = Nothing for this filter.
count-issued = { $count ->
    [one] The month has { $shown } document.
   *[other] The month has { $shown } documents.
}
count-missing = { $count ->
    [one] { $shown } is missing
   *[other] { $shown } are missing
}
count-overdue = { $count ->
    [one] { $shown } is overdue
   *[other] { $shown } are overdue
}
problem-issue-payer = No documents were issued: the merchant’s requisites are not set (PUT /v1/payer).
problem-issue-open = No documents were issued: close the month first.
receipts-note = The self-employed give a receipt for each payment, by the 9th of the next month. Without it the expense is not confirmed.
receipts-missing = Missing
receipts-received = Received
receipts-all = All
receipts-partner = Partner
receipts-none-missing = All receipts are there.
receipts-none = No receipts for this filter.
receipts-more = Next
receipt-enter = Enter the receipt
receipt-remind = Note: reminded
receipt-reminded = { $count ->
    [one] reminded { $shown } time, { $day }
   *[other] reminded { $shown } times, last { $day }
}
receipt-annul = The receipt was annulled
receipt-annul-sure = Mark as annulled
receipt-reason = Reason
receipt-save = Save
receipt-open = open
receipt-number-field = Number, if there is no link
receipt-status-checked = Self-employed status checked { $day }: check again before paying.
receipt-status-unchecked = Self-employed status never checked: check it before paying.

own-receipts-title = Your receipts
own-receipts-note = Make a receipt over the sum of the payment in the app “Мой налог” and paste its link here.
receipt-give = Give the receipt
own-documents-title = Acts and statements
own-documents-empty = Your acts will be here: the shop issues them when a month is closed.
