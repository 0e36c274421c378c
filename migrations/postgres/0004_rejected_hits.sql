-- A hit that is refused again when its batch is replayed is known by its id.
CREATE INDEX rejected_hits_hit ON rejected_hits(hit_id);
