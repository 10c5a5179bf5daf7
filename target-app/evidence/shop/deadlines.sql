-- The declared deadlines.
SELECT entity, status, ms FROM deadlines
