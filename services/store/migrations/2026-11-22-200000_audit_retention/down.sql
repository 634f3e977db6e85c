DROP FUNCTION shorten_audit;
