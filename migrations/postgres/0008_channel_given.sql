-- Whoever imported the touch gave its channel: it stays when touches are enriched anew. Of touches imported before this
-- was kept it is not known, so theirs stay too.
ALTER TABLE touches ADD COLUMN channel_given BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE touches SET channel_given = TRUE WHERE external_id IS NOT NULL;
