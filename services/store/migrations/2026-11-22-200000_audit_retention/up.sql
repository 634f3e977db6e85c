-- The services may not delete rows of the audit trail, nor say where it begins. What the backend may do is remove its
-- oldest rows, and only those that the journal has: from the beginning of the trail on, at most so many at once, as
-- long as each was recorded before an instant.
CREATE FUNCTION shorten_audit(recorded_before timestamptz, most integer, OUT removed bigint, OUT newest bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    begins_after bigint;
BEGIN
    SELECT s.sequence INTO begins_after FROM public.audit_start s FOR UPDATE;
    SELECT max(q.sequence) INTO newest FROM (
        SELECT a.sequence, bool_and(a.at < recorded_before) OVER (ORDER BY a.sequence) AS is_old FROM public.audit_rows a
        WHERE a.sequence > begins_after AND a.sequence <= (SELECT f.sequence FROM public.audit_forwarded f)
        ORDER BY a.sequence LIMIT most
    ) q WHERE q.is_old;
    removed := 0;
    IF newest IS NULL THEN
        RETURN;
    END IF;
    UPDATE public.audit_start SET sequence = a.sequence, hash = a.hash FROM public.audit_rows a WHERE a.sequence = newest;
    DELETE FROM public.audit_rows a WHERE a.sequence <= newest;
    GET DIAGNOSTICS removed = ROW_COUNT;
END
$$;
REVOKE ALL ON FUNCTION shorten_audit FROM PUBLIC;
