"""Every text of the pages in French and English, one module a page; `shared` holds what several pages use."""
