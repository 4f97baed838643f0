SELECT id, subject, status, hours, changed_at
FROM bronze.tickets
