SELECT carrier, name, snapshot_on
FROM bronze.airlines
