-- Changed by itself with everything that orders are decided by, so that nodes can keep that in memory.
CREATE TABLE terms_revision(id BIGINT PRIMARY KEY CHECK (id = 1), revision BIGINT NOT NULL);
INSERT INTO terms_revision (id, revision) VALUES (1, CAST(random() * 9e15 AS BIGINT));
CREATE FUNCTION revise_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE terms_revision SET revision = CAST(random() * 9e15 AS BIGINT);
    RETURN NULL;
END
$$;
CREATE TRIGGER programs_revises_terms AFTER INSERT OR UPDATE OR DELETE ON programs FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
CREATE TRIGGER partners_revises_terms AFTER INSERT OR UPDATE OR DELETE ON partners FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
CREATE TRIGGER partner_statuses_revises_terms AFTER INSERT OR UPDATE OR DELETE ON partner_statuses FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
CREATE TRIGGER commission_rules_revises_terms AFTER INSERT OR UPDATE OR DELETE ON commission_rules FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
CREATE TRIGGER commission_rule_versions_revises_terms AFTER INSERT OR UPDATE OR DELETE ON commission_rule_versions FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
CREATE TRIGGER referrers_revises_terms AFTER INSERT OR UPDATE OR DELETE ON referrers FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
CREATE TRIGGER periods_revises_terms AFTER INSERT OR UPDATE OR DELETE ON periods FOR EACH STATEMENT EXECUTE FUNCTION revise_terms();
