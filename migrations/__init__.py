"""The database's shape, step by step: NNNN_name.sql, applied in order by `bot.migrate`.

A file that has been released is never edited; what must change is a new file.
"""
