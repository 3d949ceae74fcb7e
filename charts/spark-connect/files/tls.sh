# nginx at the pod's own address: within the pod the same port is the server's, in plain text.
case "$POD_IP" in
  *:*) address="[$POD_IP]" ;;
  *) address="$POD_IP" ;;
esac
sed "s/ADDRESS/$address/; s/PORT/$1/" /opt/kindling/nginx.conf > /tmp/nginx.conf
exec nginx -e stderr -c /tmp/nginx.conf
