"""A fleet of Debian 13 hosts on one Linux machine, as real as systemd-nspawn makes them.

fleet     which hosts, zones and addresses there are: read from an Ansible inventory
root      the file systems of bare hosts, built once and cached
network   a bridge for each zone, cables, and a gateway that leads nowhere
hosts     one running host: overlay, network namespace, systemd-nspawn
supervisor holds everything of one lab in namespaces of its own, so that its end is the end of all
control   talks to the supervisor, enters its namespaces, opens SSH sessions
cleanup   ends a lab and repairs what a crash left
install   builds the bundle and installs the fleet from it, as a studio's operator would
command   the command line
"""
