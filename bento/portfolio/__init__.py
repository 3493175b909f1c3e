"""Score or describe every client of a folder of tables: on one machine, or on many by Spark."""
