# One program of the control plane as an image, under the name by which kubeadm asks for it; the build adds the program as ENTRYPOINT.
ARG BASE
FROM ${BASE}
COPY . /usr/local/bin/
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
