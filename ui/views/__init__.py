"""The pages of the application, one module each; `ui.navigation` lists them."""
