-- How strict a server wants the words to be from which is drawn; NULL: as the bot's own settings say.
ALTER TABLE servers ADD COLUMN strictness TEXT
    CHECK (strictness IN ('off', 'standard', 'strict'));
