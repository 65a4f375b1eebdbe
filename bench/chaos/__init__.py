"""Campaigns while everything around them is killed, cut and confused; after each round an independent account is asked for.

__main__   the command line           rounds     one round after another, on one set of tables
stage      the processes              faults     what goes wrong
people     who clicks, answers, says STOP
clock disk stand_in                   the wall clock, a small disk, an SMSC in C
account    what must hold afterwards
"""
