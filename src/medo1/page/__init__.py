"""The report as one HTML file: tables of a study in, a page out. It knows no pipeline, no file and no network."""
