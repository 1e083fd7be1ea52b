"""The state of a partition: kept in memory and on `dondoc.duties.v1`, compared with its log when it is opened."""
