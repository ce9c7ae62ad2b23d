"""How results are shown: HTML pages, charts and tables of every command."""
