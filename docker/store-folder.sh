#!/bin/sh
# Gives the store's folder to the user that the store runs as. Usage: store-folder.sh UID
set -eu
case $(ls -nd /data) in
    # Its owner is changed last: a change that was interrupted begins again.
    *" $1 "*) exit ;;
esac
for each in /data/* /data/.[!.]*; do
    [ ! -e "$each" ] || chown -R "$1:$1" "$each"
done
chown "$1:$1" /data
echo "The store's folder belongs to user $1."
