module kindling/bench/reverse-proxy

go 1.26
