"""The commands of `dondoc`: one file each, in one folder for each service or task."""
