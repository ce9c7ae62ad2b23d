"""How results are shown: colours, SVG charts and HTML pages from templates."""
