"""What the page of ledgers draws: one module a ledger."""
