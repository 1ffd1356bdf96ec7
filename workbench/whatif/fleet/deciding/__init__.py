"""From a batch of raw tenants to their decisions: columns coded, combinations found, each judged once."""
