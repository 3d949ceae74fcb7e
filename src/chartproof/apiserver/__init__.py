"""A real API server without nodes: etcd, kube-apiserver and kube-controller-manager as processes of a test run."""

from chartproof.apiserver.server import ApiServer, ApiServerError

__all__ = ["ApiServer", "ApiServerError"]
