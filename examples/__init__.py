"""Ten programs, each in a folder: `app.py` is the application, `data.py` what it is fed, `__main__.py` a run of it.

python -m examples.word_count
"""
