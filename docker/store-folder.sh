#!/bin/sh
# Sets the owner of the store's folder to the store's user. Usage: store-folder.sh UID
set -eu
case $(ls -nd /data) in
    # The folder's own owner is changed last, so an interrupted change is repeated.
    *" $1 "*) exit ;;
esac
for each in /data/* /data/.[!.]*; do
    [ ! -e "$each" ] || chown -R "$1:$1" "$each"
done
chown "$1:$1" /data
echo "The store's folder belongs to user $1."
