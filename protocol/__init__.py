"""What travels: typed messages, codecs, the tables of refusals, close codes and limits. Imports nothing of ours."""
