"""The pages in a real browser, on the product as `shenguan up --sample` runs it, and at a provider."""
