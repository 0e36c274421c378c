-- Whoever imported the touch gave its channel: it stays when touches are enriched anew. Of touches imported before this
-- was kept it is not known, so theirs stay too.
ALTER TABLE touches ADD COLUMN channel_given INTEGER NOT NULL DEFAULT 0;
UPDATE touches SET channel_given = 1 WHERE external_id IS NOT NULL;
