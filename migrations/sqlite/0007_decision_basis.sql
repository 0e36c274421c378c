-- What a decision was made on, but for the touches: so that it can be made again and proved. Earlier decisions have none.
ALTER TABLE payable_decisions ADD COLUMN basis TEXT;
-- Who would have been owed the order without the winner's partner: the touch or code.
ALTER TABLE payable_decisions ADD COLUMN loser TEXT;
