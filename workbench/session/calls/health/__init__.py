"""What is known of providers from calls: kept between processes, and as rows."""
