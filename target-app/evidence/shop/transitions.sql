-- The declared state machines.
SELECT entity, from_status, to_status, terminal FROM transitions
